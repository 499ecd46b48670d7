"""The token classes of the official COCO caption tokenizer, as regular expressions.

They were found by giving captions to the official tokenizer and watching what it does, so they keep its oddities
(`dog.,` keeps its full stop, `Inc.x` is two tokens and `Inc.xy` is one). They are written over stand-ins: every
character is first replaced by one that stands for its kind (`stand_ins`), so that they need only ASCII and a few more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from leyenda.metrics.ptb_characters import LETTER_RANGES, MARK_RANGES, SYMBOL_RANGES

LETTER, MARK, DIGIT, SYMBOL, NOTHING = "é", "ˆ", "٠", "§", "\0"
"""Stand-ins for what is not ASCII: a letter, an accent, a digit, what is a token alone, what is dropped."""

WIDE_SPACE, LOW_QUOTE = "\u3000", "„"
"""Stand-ins for spaces that addresses may hold, and for quotation marks that stay as they are."""

_STAND_INS = {
    **{chr(code): chr(code) for code in range(32, 127)},
    **{char: char for char in "\xa0\xad¢£⁄٫٬‛‹›、¼½¾⅓⅔"},
    **dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\u2028\u2029", " "),
    "\t": "\t",
    **dict.fromkeys("\u3000" + "".join(map(chr, range(0x2000, 0x200B))), WIDE_SPACE),
    **dict.fromkeys("\x96\x97–—―", "–"),
    **dict.fromkeys("֊‐‑", "‐"),
    **dict.fromkeys("\x92’", "’"),
    **dict.fromkeys("\x91‘", "‘"),
    **dict.fromkeys("\x93“«", "“"),
    **dict.fromkeys("\x94”»", "”"),
    **dict.fromkeys("‚„‟", LOW_QUOTE),
    **dict.fromkeys("\x85…", "…"),
    **dict.fromkeys("⁺⁻₊₋", "⁻"),
    **dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹", "²"),
    **dict.fromkeys("₀₁₂₃₄₅₆₇₈₉", "₂"),
    **dict.fromkeys("\x80¤€₠", "€"),
}


class _StandIns(dict[int, str]):
    """For `str.translate`: every character's stand-in, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _STAND_INS.get(chr(code)) or _kind(code)
        return self[code]


def _kind(code: int) -> str:
    for ranges, stand_in in ((LETTER_RANGES, LETTER), (MARK_RANGES, MARK), (SYMBOL_RANGES, SYMBOL)):
        place = bisect_right(ranges, code, key=lambda ends: ends[0]) - 1
        if place >= 0 and code <= ranges[place][1]:
            return DIGIT if chr(code).isdecimal() else stand_in
    return NOTHING


stand_ins = _StandIns()


def _any_case(words: str) -> str:
    return "(?i:" + "|".join(words.split()) + ")"


def _capitalized(words: str) -> str:
    return "(?:" + "|".join(f"{word[0].upper()}(?i:{word[1:]})" for word in words.split()) + ")"


SPACE = r"[ \t\xa0\n\u3000]"
_L = r"(?:[A-Za-zéˆ\xad]|&[aeiouAEIOU](?:acute|grave|uml);)"
_D = r"[0-9٠]"
_P = r"[A-Za-zé0-9٠]"  # letters and digits, but no accents on their own
_APOS = r"(?:['’]|&apos;)"
_APOS_LIKE = r"(?:['’`‘‛]|&apos;)"
_SHORT_FORM = r"(?:[msdMSD]|(?i:re|ve|ll))"  # I'm, it's, he'd, they're, I've, we'll
_WORD = rf"{_L}(?:{_L}|{_D})*(?:[.!?]{_L}(?:{_L}|{_D})*)*"
_NUMBER = rf"(?:{_D}*(?:[.:,\xad٫٬]{_D}+)+|{_D}+)"
_ACRONYM = (
    r"(?:(?i:canada|sino|korean|eu|japan|non)-[uU]\.[sS]|[uU]\.[sS]\.-(?:[uU]\.[kK]|[uU]\.[sS]\.[sS]\.[rR])"
    r"|[A-Za-z](?:\.[A-Za-z])+)"
)
_PART = rf"(?:[dDoOlL]{_APOS_LIKE}{_P})?{_P}+"
_HYPHENATED = rf"{_PART}(?:[-_‐]{_PART})*"
_HYPHENATED_LOOSELY = rf"[A-Za-z0-9][A-Za-z0-9.,\xad]*(?:-(?:{_ACRONYM}\.|[A-Za-z0-9\xad]+))+"
_INITIALS = r"[A-Z]+(?:(?:\+|&(?i:amp);|&)[A-Z]+)+"
_TAG_NAME = r"[A-Za-z][A-Za-z0-9_:.-]*"
_TAG = (
    rf"<(?:[!?][A-Za-z-][^>\n]*|/{_TAG_NAME} *"
    rf"|{_TAG_NAME}(?: +{_TAG_NAME}(?: *= *(?:'[^'\n]*'|\"[^\"\n]*\"))?)* */? *)>"
)
_NO_ADDRESS = r" \t\n\"<>|"
_NO_MAIL = rf"{_NO_ADDRESS}\xa0"
_ADDRESS_END = rf"[^{_NO_ADDRESS}.!?(){{}},-]"
_PATH = rf"/[^{_NO_ADDRESS}()]+{_ADDRESS_END}"
_WWW = rf"(?i:www)\.(?:[^{_NO_ADDRESS}.!?(){{}},]+\.)"
_NO_HOST = rf"{_NO_ADDRESS}`'!?(){{}}$,-_"
_HOST = rf"(?:[^{_NO_HOST}]+\.)"
_FACE = r"[<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]]"
_ASIAN_FACE = r"[-^x=~<>']_[-^x=~<>']|\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\)"
_TELEPHONE = (
    r"(?:\([0-9]{2,3}\)[ \xa0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \xa0])?[0-9]{2,4}[- \xa0])[0-9]{3,4}[- \xa0]?[0-9]{3,5}"
    r"|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}"
)
_SIDE_OF_SLASH = r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"
_FILE_PART = r"[A-Za-zé0-9٠\xad]"
_FILE_ENDING = _any_case(
    "bat bmp c class cgi cpp dll docx? exe gif gz html? h jar java jpe?g mov mp3 pdf php pl png ppt ps py sql tar txt"
    " wav x xml zip"
)
_WITH_APOSTROPHE = "|".join(
    rf"{first}{_APOS}{second}"
    for first, second in (
        ("c", "mon"), ("cap", "n"), ("c", "est"), ("nor", "easter"), ("s", "mores"),
        ("ev", "ry"), ("li", "l"), ("nat", "l"), ("o", "o"), ("e", "er"), ("cont", r"d\."),
    )
)  # fmt: skip

# Words that keep a full stop: those that often end a sentence, those before a name, those before a number.
_DEGREE = r"(?i:ed|ph)\.[dD]"
ENDING = (
    _any_case(
        "al co ct ga jr ky md mo rd rt sq sr va vt ala apr aug bhd cos dak dec esq est etc ext feb fla fri inc ind jan"
        " jul jun kan ltd mar mon neb nev nov oct plc sep seq sys tel thu tue wed wis wyo pte pty ariz assn bldg blvd"
        " bros colo conn corp intl kans mich minn mont okla penn ppte ppty ptes ptys sept tenn tues univ wisc thurs"
        " calif bancorp"
    )
    + "|"
    + _capitalized("az la pa ark del ill ore tex mass miss wash")
)
BEFORE_NAME = _any_case(
    "cf dr ft lt mr ms mt ph st vs wm adj adm adv ave cie col cpl det drs ens gen gov hon jos maj mme mrs pfc pvt rep"
    " rev sen sfc sgt spc ste mfg mtg alex asst atty brig capt cmdr dept elec govs insp invt mlle msgr natl pres prof"
    " reps sens supt profs attys messrs lieut comdr supts assoc treas"
)
_FIRST_WORD = _capitalized(
    "a about according additionally after an as at but earlier he her here however if in it last many more now once"
    " one other our she since so some such that the their then there these they this we what when while yet you"
)
_BEFORE_NUMBER = _any_case("ca no op pp art fig nos figs prop")

_WORDLIKE = "A-Za-zéˆ\xad&0-9٠"
KEPT = "kept"  # the official tokenizer writes such a token just as it stands
_QUOTE = "'’&"
_RULES: tuple[tuple[str, ...], ...] = (
    # (what it can begin with, what becomes the token, what must follow it, and whether it is kept as it stands).
    # The longest wins, then the first.
    ("A-Za-z", r"(?i:can)", r"(?i:not)"),
    ("A-Za-z", r"(?i:gon|wan)", r"(?i:na)"),
    ("A-Za-z", r"(?i:got)", r"(?i:ta)"),
    ("A-Za-z", r"(?i:lem|gim)", r"(?i:me)"),
    ("<", _TAG, "", KEPT),
    (
        "&",
        r"&(?:MD|mdash|ndash);|&(?i:amp|lt|gt|quot|apos|nbsp);|&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);",
        "",
    ),
    (_WORDLIKE, _WORD, rf"{_APOS}{_SHORT_FORM}"),
    (r"A-Za-z\xad", rf"(?!\xad+[nN]{_APOS_LIKE})[A-Za-z\xad]*[A-MO-Za-mo-z\xad]", rf"[nN]{_APOS_LIKE}[tT]"),
    (_WORDLIKE, _WORD, ""),
    (_QUOTE, rf"{_APOS}[nN]{_APOS}?", ""),
    (_WORDLIKE, rf"[lLdDjJ]{_APOS}|(?i:dunkin|somethin|ol){_APOS}", ""),
    ("yY", rf"[yY]{_APOS}", _L),
    (_QUOTE, rf"{_APOS}(?i:em|till?|cause)|{_APOS}[2-9]0[sS]", ""),
    ("'", r"'[tT]", r"(?i:is|was)"),
    (_QUOTE, rf"{_APOS}[0-9][0-9]", SPACE),
    ("A-Za-z", rf"(?i:{_WITH_APOSTROPHE})", ""),
    (_WORDLIKE, rf"[A-HJ-XZn]{_APOS_LIKE}[A-Za-zé]{{2,}}", ""),
    (_WORDLIKE, rf"[A-Za-zé]+[aeiouyAEIOUY]{_APOS_LIKE}[aeiouA-Z][A-Za-zé]*", ""),
    ("hH", rf"(?i:https?)://[^{_NO_ADDRESS}()]+{_ADDRESS_END}", "", KEPT),
    ("wW", rf"{_WWW}+[a-zA-Z]{{2,4}}", "", KEPT),
    ("wW", rf"{_WWW}+?[a-zA-Z]{{2,4}}{_PATH}", "", KEPT),
    (f"^{_NO_HOST}", rf"{_HOST}+(?i:com|net|org|edu)", "", KEPT),
    (f"^{_NO_HOST}", rf"{_HOST}+?(?i:com|net|org|edu){_PATH}", "", KEPT),
    (
        "<A-Za-z0-9&",
        rf"(?:<|&lt;)?[a-zA-Z0-9][^{_NO_MAIL}(){{}}]*@(?:[^{_NO_MAIL}().{{}}]+\.)*[^{_NO_MAIL}().{{}}]+(?:>|&gt;)?",
        "",
        KEPT,
    ),
    ("@", r"@[A-Za-z_][A-Za-z_0-9]*", "", KEPT),
    ("#", rf"#{_L}+", "", KEPT),
    (_QUOTE, rf"{_APOS}{_SHORT_FORM}", r"[^A-Za-z]"),
    ("nN", rf"[nN]{_APOS_LIKE}[tT]", r"[^A-Za-z]"),
    ("'", "'", r"[A-Za-z][^ \t\xa0\n]"),
    (_QUOTE, rf"{_APOS}{_SHORT_FORM}", ""),
    ("0-9٠", rf"{_D}{{1,2}}[-/]{_D}{{1,2}}[-/]{_D}{{2,4}}", ""),
    ("-+0-9٠.:,\xad٫٬", rf"[-+]?{_NUMBER}", ""),
    ("⁻²₂", r"⁻?(?:²+|₂+)", ""),
    ("0-9٠", rf"(?:{_D}{{1,4}}[- \xa0])?{_D}{{1,4}}(?:\\?/|⁄){_D}{{1,4}}", ""),
    ("-", r"(?i:-(?:RRB|LRB|RCB|LCB|RSB|LSB)-)", ""),
    ("A-Za-z", r"(?i:C\.D\.s|pro-|anti-|S&(?:amp;)?P-500|S&(?:amp;)?Ls)", ""),
    ("A-Za-z", rf"(?:{ENDING}|{_DEGREE})\.", r"[\s\S]{2}"),
    ("A-Za-z", rf"(?:{_BEFORE_NUMBER})\.", rf"{SPACE}?{_D}"),
    ("A-Za-z", "[A-Za-z]", rf"\.{SPACE}+(?:(?:{_FIRST_WORD}|{_TAG}){SPACE}|Mr\.)"),
    ("A-Za-z", rf"(?:{_ACRONYM}|{_DEGREE}|{BEFORE_NAME}|[A-Za-z])\.", ""),
    ("A-Za-z", _ACRONYM, SPACE),
    (_WORDLIKE, rf"(?:{_WORD}|{_HYPHENATED_LOOSELY}|{_HYPHENATED}|{_INITIALS})\.", "[,;:、]"),
    (_WORDLIKE, rf"{_SIDE_OF_SLASH}(?:\\?/{_SIDE_OF_SLASH}){{1,2}}", ""),
    (_WORDLIKE, _HYPHENATED, ""),
    (_WORDLIKE, _HYPHENATED_LOOSELY, ""),
    (_WORDLIKE, _INITIALS, ""),
    (_WORDLIKE, rf"{_FILE_PART}+(?:\.{_FILE_PART}+)*\.{_FILE_ENDING}", r"[ \t\xa0\n\u3000.?!,]", KEPT),
    ("A-Za-z", r"(?i:C\+\+|[CF]\#)", ""),
    ("-+(0-9", _TELEPHONE, ""),
    (r"<>:;=", _FACE, r"[^A-Za-z0-9]"),
    (r"\-^x=~<>'(", _ASIAN_FACE, ""),
    ("A-Z$", r"[A-Z]*\$", ""),
    ("?!", r"[?!]+", ""),
    (".", r"\.{3,5}|(?:\.[ \xa0]){2,4}\.", ""),
    ("-", r"-+", ""),
    ("@#_*", r"@+|#+|_+|\*+", ""),
    (r"\\", r"\\\*(?:\\\*){0,2}", ""),
    ("<>", r"<<|>>", ""),
    ("'’`‘‛“”‹›„", r"'{1,2}|[`’‘‛“”‹›„]{1,2}", ""),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A token class.

    Args:
        pattern: the token is group 1, what must follow is not.
        kept: the official tokenizer writes such tokens as they stand: addresses, tags, file names.
    """

    pattern: re.Pattern[str]
    kept: bool


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """The token classes by the stand-in that a token begins with."""
    compiled = [
        (starts, Rule(re.compile(f"({token})(?:{following})"), KEPT in kept))
        for starts, token, following, *kept in _RULES
    ]
    alphabet = {*_STAND_INS.values(), LETTER, MARK, DIGIT, SYMBOL, NOTHING}
    return {
        char: tuple(rule for starts, rule in compiled if re.match(f"[{starts}]", char)) for char in alphabet
    }
