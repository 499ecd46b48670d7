"""The Penn Treebank caption tokenizer of the official COCO caption evaluation, in Python.

The official evaluation runs a Java lexer over the captions, lower-cases its tokens and drops punctuation. Here the
same token classes are written as regular expressions, with the rule of such lexers: at every position the class with
the longest match wins, what it must look ahead at included; the earlier class wins a tie.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from leyenda.metrics.ptb_characters import LETTER_RANGES, MARK_RANGES, SYMBOL_RANGES

DROPPED_TOKENS = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What the official evaluation removes. Brackets survive it, since it compares after lower-casing (`-lrb-`)."""

CACHED_CAPTIONS = 1 << 16
"""How many captions' tokens are remembered: training scores the same references again and again."""


@lru_cache(maxsize=CACHED_CAPTIONS)
def ptb_tokens(caption: str) -> tuple[str, ...]:
    """Tokens of one caption, as the official COCO caption evaluation makes them.

    Tokens are lower case; punctuation is dropped. A line break counts as a space. A token can hold a no-break space
    (`2 1/2`, telephone numbers). Where the official lexer peeks into the *next* caption (`plan B.`, `:)`), this one
    acts as if the next caption began with a lower-case letter.

    Args:
        caption: one caption in any language; the rules are those for English.

    Returns:
        The tokens, none of them empty.

    >>> ptb_tokens("A man's T-shirt, and he can't swim.")
    ('a', 'man', "'s", 't-shirt', 'and', 'he', 'ca', "n't", 'swim')
    """
    words = _plain_words(caption)
    return words if words is not None else _lexed(caption)


# The quick way. Most captions are plain words, and between spaces a plain word can only be itself. #####################

_PLAIN = re.compile(r"[A-Za-z ,]*[.]?\s*")
_SPLIT_WORDS = {
    "cannot": ("can", "not"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "lemme": ("lem", "me"),
    "gimme": ("gim", "me"),
    "wanna": ("wan", "na"),
}


def _plain_words(caption: str) -> tuple[str, ...] | None:
    """Tokens of a caption of letters, commas and one full stop at its end; None when it needs the lexer."""
    if not _PLAIN.fullmatch(caption):
        return None
    body = caption.rstrip()
    if body.endswith(".") and _KEEPS_ITS_STOP.search(body):
        return None
    words = body.rstrip(".").replace(",", " ").lower().split()
    if not _SPLIT_WORDS.keys().isdisjoint(words):
        return None
    return tuple(words)


# The characters. The lexer knows letters, digits and symbols of an old Unicode, and drops everything else. ##############

LETTER, MARK, DIGIT, SYMBOL, NOTHING = "é", "ˆ", "٠", "§", "\0"
"""Stand-ins of equal width, so that the rules below need only ASCII and these."""

_AS_THEMSELVES = "\xa0\xad‐’‘‛"
_STAND_INS = {
    **{chr(code): chr(code) for code in range(32, 127)},
    **{char: char for char in _AS_THEMSELVES},
    **dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\u2028\u2029", " "),
    **dict.fromkeys("\t\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u3000", "\t"),
    **dict.fromkeys("\x96\x97–—―", "–"),
    **dict.fromkeys("֊‐‑", "‐"),
    **dict.fromkeys("\x92’", "’"),
    **dict.fromkeys("\x91‘", "‘"),
    **dict.fromkeys("‛", "‛"),
    **dict.fromkeys("\x93\x94“”«»‹›", "“"),
    **dict.fromkeys("\x85…", "…"),
    **{char: char for char in "¼½¾⅓⅔"},
    **dict.fromkeys("⁺⁻₊₋", "⁻"),
    **dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹", "²"),
    **dict.fromkeys("₀₁₂₃₄₅₆₇₈₉", "₂"),
    **dict.fromkeys("\x80¤€₠", "€"),
    "¢": "¢",
    "£": "£",
    "⁄": "⁄",
    "٫": "٫",
    "٬": "٫",
}


class _StandIns(dict[int, str]):
    """For `str.translate`: every character's stand-in, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        stand_in = _STAND_INS.get(char) or _class_of(code)
        self[code] = stand_in
        return stand_in


def _class_of(code: int) -> str:
    for ranges, stand_in in ((LETTER_RANGES, LETTER), (MARK_RANGES, MARK), (SYMBOL_RANGES, SYMBOL)):
        place = bisect_right(ranges, code, key=lambda ends: ends[0]) - 1
        if place >= 0 and code <= ranges[place][1]:
            return DIGIT if chr(code).isdecimal() else stand_in
    return NOTHING


_SHAPES = _StandIns()

# The rules. #############################################################################################################

_L = r"(?:[A-Za-zéˆ\xad]|&[aeiouAEIOU](?:acute|grave|uml);)"
_D = r"[0-9٠]"
_LD = rf"(?:{_L}|{_D})"
_PURE = r"[A-Za-zé0-9٠]"  # no marks
_SPACE = r"[ \t\xa0]"
_APOS = r"(?:['’]|&apos;)"
_APOS_LIKE = r"(?:['’`‘‛]|&apos;)"
_AND = r"(?:&amp;|&)"
_WORD = rf"{_L}{_LD}*(?:[.!?]{_L}{_LD}*)*"
_NUM = rf"(?:{_D}*(?:[.:,\xad٫]{_D}+)+|{_D}+)"
_HYPHEN = r"[-_‐]"
_ACRONYM = r"[A-Za-z](?:\.[A-Za-z])+"
_TAG_NAME = r"[A-Za-z][A-Za-z0-9_:.-]*"
_ADDRESS_END = r"[^ \t\n\xa0\"<>|.!?(){},-]"
_ADDRESS_MIDDLE = r"[^ \t\n\xa0\"<>|()]"
_PATH = rf"(?:/{_ADDRESS_MIDDLE}+{_ADDRESS_END})?"
_EXTENSIONS = (
    "bat|bmp|c|class|cgi|cpp|dll|doc|docx|exe|gif|gz|h|htm|html|jar|java|jpeg|jpg|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql"
    "|tar|txt|wav|x|xml|zip|wmv|mp4|avi|csv|asp|js|css|tex|rtf"
)


def _any_case(words: str) -> str:
    return "(?i:" + "|".join(words.split()) + ")"


def _capitalized(words: str) -> str:
    return "(?:" + "|".join(f"{word[0].upper()}(?i:{word[1:]})" for word in words.split()) + ")"


# Words that keep a full stop: those that often end a sentence, those before a name, those before a number.
_ENDING = _any_case(
    "al co ct ga jr ky md mo rd rt sq sr va vt ala apr aug bhd cos dak dec esq est etc ext feb fla fri inc ind jan jul"
    " jun kan ltd mar mon neb nev nov oct plc sep seq sys tel thu tue wed wis wyo pte pty ariz assn bldg blvd bros colo"
    " conn corp intl kans mich minn mont okla penn ppte ppty ptes ptys sept tenn tues univ wisc thurs calif bancorp"
)
_ENDING_IF_CAPITAL = _capitalized("az la pa ark del ill ore tex mass miss wash")
_BEFORE_NAME = _any_case(
    "cf dr ft lt mr ms mt ph st vs wm adj adm adv ave cie col cpl det drs ens gen gov hon jos maj mme mrs pfc pvt rep"
    " rev sen sfc sgt spc ste mfg mtg alex asst atty brig capt cmdr dept elec govs insp invt mlle msgr natl pres prof"
    " reps sens supt profs attys messrs lieut comdr supts assoc treas"
)
_BEFORE_NUMBER = _any_case("ca no op pp art fig nos figs prop")
_DEGREE = r"(?i:ed|ph)\.[dD]"
_KEEPS_ITS_STOP = re.compile(rf"(?:^|[ ,])(?:{_ENDING}|{_ENDING_IF_CAPITAL}|{_BEFORE_NAME}|[A-Za-z])\.$")
_FACE = r"[<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]]"
_ASIAN_FACE = (
    r"[-^x=~<>']_[-^x=~<>']|\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\)|[\^x=~<>]\.[\^x=~<>]"
)
_PHONE = (
    r"(?:\([0-9]{2,3}\)[ \xa0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \xa0])?[0-9]{2,4}[- \xa0])[0-9]{3,4}[- \xa0]?[0-9]{3,5}"
    r"|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}"
)
_SPLIT_BY_SLASH = r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"

_WORD_STARTS = "A-Za-zéˆ\xad&0-9٠"
_RULES = (
    # (characters it can begin with, what becomes the token, what must follow it)
    ("A-Za-z", r"(?i:can)", r"(?i:not)"),
    ("A-Za-z", r"(?i:gon|wan)", r"(?i:na)"),
    ("A-Za-z", r"(?i:got)", r"(?i:ta)"),
    ("A-Za-z", r"(?i:lem|gim)", r"(?i:me)"),
    (
        "<",
        rf"<(?:[!?][A-Za-z-][^>\n]*|/?{_TAG_NAME}(?: +(?:{_TAG_NAME}|{_TAG_NAME}=(?:'[^'\n]*'|\"[^\"\n]*\")))*/? *)>",
        "",
    ),
    ("&", r"&(?:MD|mdash|ndash|amp);", ""),
    ("&", r"&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);", ""),
    (_WORD_STARTS, _WORD, rf"{_APOS}(?:[msdMSD]|(?i:re|ve|ll))"),
    ("A-Za-z", r"[A-Za-z]*[A-MO-Za-mo-z]", rf"[nN]{_APOS_LIKE}[tT]"),
    (_WORD_STARTS, _WORD, ""),
    ("'’&", rf"{_APOS}(?i:n){_APOS}?", ""),
    (_WORD_STARTS, rf"[lLdDjJ]{_APOS}|(?i:dunkin|somethin|ol){_APOS}", ""),
    (_WORD_STARTS, rf"[yY]{_APOS}", _L),
    ("'’&", rf"{_APOS}(?i:em|till?|cause)|{_APOS}[2-9]0[sS]", ""),
    ("'’&", rf"{_APOS}[tT]", r"(?i:is|was)"),
    ("'’&", rf"{_APOS}[0-9][0-9]", r"[ \t\xa0\n]"),
    (
        _WORD_STARTS,
        rf"(?i:c{_APOS}mon|cap{_APOS}n|c{_APOS}est|nor{_APOS}easter|s{_APOS}mores|ev{_APOS}ry|li{_APOS}l|nat{_APOS}l|e{_APOS}er|cont{_APOS}d\.?)",
        "",
    ),
    (_WORD_STARTS, rf"[dDoOlL]{_APOS}{_L}{_LD}*", ""),
    (_WORD_STARTS, rf"[A-HJ-XZn]{_APOS}{_L}{{2}}{_L}*", ""),
    (_WORD_STARTS, rf"{_L}+[aeiouyA-Z]{_APOS}[aeiouA-Z]{_L}*", ""),
    (_WORD_STARTS, r"(?i:https?)://[^ \t\n\xa0\"<>|()]+[^ \t\n\xa0\"<>|.!?(){},-]", ""),
    (_WORD_STARTS, rf"(?:(?i:www)\.(?:[^ \t\n\xa0\"<>|.!?(){{}},]+\.)+[a-zA-Z]{{2,4}}){_PATH}", ""),
    (_WORD_STARTS, rf"(?:[^ \t\n\xa0\"`'<>|.!?(){{}}$,-_]+\.)+(?i:com|net|org|edu){_PATH}", ""),
    (_WORD_STARTS, r"[a-zA-Z0-9][^ \t\n\xa0\"<>|()]*@(?:[^ \t\n\xa0\"<>|().]+\.)*[^ \t\n\xa0\"<>|().]+", ""),
    ("@", r"@[A-Za-z_][A-Za-z_0-9]*", ""),
    ("#", rf"#{_L}+", ""),
    ("'’&", rf"{_APOS}(?:[msdMSD]|(?i:re|ve|ll))", r"[^A-Za-z]"),
    ("nN", rf"[nN]{_APOS_LIKE}[tT]", r"[^A-Za-z]"),
    ("0-9٠", rf"{_D}{{1,2}}[-/]{_D}{{1,2}}[-/]{_D}{{2,4}}", ""),
    ("-+0-9٠.:,\xad٫٬", rf"[-+]?{_NUM}", ""),
    ("⁻²₂", r"⁻?(?:²+|₂+)", ""),
    ("0-9٠", rf"(?:{_D}{{1,4}}[- \xa0])?{_D}{{1,4}}(?:\\?/|⁄){_D}{{1,4}}", ""),
    ("-", r"(?i:-(?:RRB|LRB|RCB|LCB|RSB|LSB)-)", ""),
    (_WORD_STARTS, r"(?i:C\.D\.s|pro-|anti-|S&(?:amp;)?P-500|S&(?:amp;)?Ls)", ""),
    (_WORD_STARTS, rf"{_SPLIT_BY_SLASH}(?:\\?/{_SPLIT_BY_SLASH}){{1,2}}", ""),
    (_WORD_STARTS, rf"{_PURE}[A-Za-zé0-9٠.,\xad]*(?:{_HYPHEN}(?:(?:{_PURE}|\xad)+|{_ACRONYM}\.))+", ""),
    (_WORD_STARTS, rf"[A-Z]+(?:(?:\+|{_AND})[A-Z]+)+", ""),
    (_WORD_STARTS, rf"{_PURE}+(?:\.{_PURE}+)*\.(?i:{_EXTENSIONS})", ""),
    (_WORD_STARTS, rf"{_PURE}+", ""),
    ("A-Za-z", rf"(?:{_BEFORE_NUMBER})\.", r"[ \t\xa0\n]?[0-9٠]"),
    ("A-Za-z", rf"(?:{_ENDING}|{_ENDING_IF_CAPITAL}|{_DEGREE})\.", r"[\s\S]{2}"),
    ("A-Za-z", rf"(?:{_ACRONYM}|{_DEGREE}|{_BEFORE_NAME}|[A-Za-z])\.", ""),
    ("A-Za-z", r"(?i:C\+\+|[CF]\#)", ""),
    ("-+(0-9", _PHONE, ""),
    (r"<>:;=\-^x~'(", rf"{_FACE}", r"[^A-Za-z]"),
    (r"<>:;=\-^x~'(", rf"{_ASIAN_FACE}", ""),
    ("?!", r"[?!]+", ""),
    (".", r"\.{3,5}|(?:\.[ \xa0]){2,4}\.", ""),
    ("-", r"-+", ""),
    ("@#_*", r"@+|#+|_+|\*+", ""),
    (r"\\", r"\\\*(?:\\\*){0,2}", ""),
    ("<>", r"<<|>>", ""),
    ("'’`‘‛“", r"[`'’‘‛“]{1,2}", ""),
)


def _compiled() -> dict[str, list[re.Pattern[str]]]:
    """The rules by the character that a token begins with; the token is group 1."""
    by_start: dict[str, list[re.Pattern[str]]] = {}
    alphabet = {*_STAND_INS.values(), LETTER, DIGIT, SYMBOL}
    for starts, token, following in _RULES:
        pattern = re.compile(f"({token})(?:{following})")
        for char in alphabet:
            if re.match(f"[{starts}]", char):
                by_start.setdefault(char, []).append(pattern)
    return by_start


_RULES_BY_START = _compiled()
_BETWEEN_TOKENS = re.compile(rf"[ \t\xa0\n{NOTHING}]*")

_QUOTES = frozenset("`'’‘‛“\"")
_SPELLED = {
    "¢": "cents",
    "£": "#",
    "€": "$",
    "¼": "1/4",
    "½": "1/2",
    "¾": "3/4",
    "⅓": "1/3",
    "⅔": "2/3",
    "–": "--",
    "…": "...",
    "&mdash;": "--",
    "&ndash;": "--",
    "&MD;": "--",
    "[": "-lsb-",
    "]": "-rsb-",
    "{": "-lcb-",
    "}": "-rcb-",
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": "''",
    "&apos;": "'",
    "&nbsp;": "",
}


def _lexed(caption: str) -> tuple[str, ...]:
    text = caption
    shape = text.translate(_SHAPES) + "\nt"  # as if another caption followed
    tokens = []
    place = 0
    while True:
        place = _BETWEEN_TOKENS.match(shape, place).end()  # type: ignore[union-attr]
        if place >= len(text):
            return tuple(tokens)
        end = _token_end(shape, place)
        token = _spelled(text[place:end], shape[place:end])
        if token and token.lower() not in DROPPED_TOKENS:
            tokens.append(token.lower())
        place = end


def _token_end(shape: str, place: int) -> int:
    longest, end = 0, place + 1
    for rule in _RULES_BY_START.get(shape[place], ()):
        match = rule.match(shape, place)
        if match and match.end() > longest:
            longest, end = match.end(), match.end(1)
    return end


def _spelled(token: str, shape: str) -> str:
    """The token as it is written out, punctuation in the spelling that `DROPPED_TOKENS` knows."""
    if shape in _SPELLED:
        return _SPELLED[shape]
    if token in _SPELLED:
        return _SPELLED[token]
    if set(shape) <= _QUOTES:
        return "''"
    if shape[0] == "-" and set(shape) == {"-"}:
        return token if len(token) > 4 or len(token) == 1 else "--"
    if shape[0] == "." and set(shape) <= set(". \xa0"):
        return "..." if len(token) > 1 else "."
    spelled = token.replace("\xad", "")
    for written, brackets in (("(", "-lrb-"), (")", "-rrb-"), (" ", "\xa0"), ("&amp;", "&"), ("&apos;", "'")):
        spelled = spelled.replace(written, brackets)
    return spelled or "-"
