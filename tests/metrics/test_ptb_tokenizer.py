"""The tokenizer against the official one: its recorded output, and cases anyone can check by eye."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda.metrics import ptb_tokenizer
from leyenda.metrics.ptb_tokenizer import DROPPED_TOKENS, ptb_tokens

LINE_BREAKS = "\r\v\f\u2028\u2029"
"""Inside a caption these shift every later caption of the official tokenizer; here they are spaces."""


@pytest.mark.parametrize(
    ("caption", "tokens"),
    [
        ("A man's best friend.", "a man 's best friend"),
        (
            "They don't know; she can't, I'm sure we've won't",
            "they do n't know she ca n't i 'm sure we 've wo n't",
        ),
        ("She cannot stop, she is gonna run", "she can not stop she is gon na run"),
        ("a well-known black-and-white t-shirt", "a well-known black-and-white t-shirt"),
        ("The sign says “Stop” and ‘Go’", "the sign says stop and go"),
        ("a man (left) and [right]", "a man -lrb- left -rrb- and -lsb- right -rsb-"),
        ("Really?! Wow!!! Yes! No?", "really ?! wow !!! yes no"),
        ("It costs €20, £10 or 50¢", "it costs $ 20 # 10 or 50 cents"),
        ("1/2 cup, ½ spoon, 2 1/2 jars", "1/2 cup 1/2 spoon 2\xa01/2 jars"),
        ("Mr. Smith lives in St. Louis etc.", "mr. smith lives in st. louis etc."),
        ("¿Qué hace el niño? ¡Corre!", "¿ qué hace el niño ¡ corre"),
        ("a dog — a cat – a bird -- a fish", "a dog a cat a bird a fish"),
        ("AT&T &amp; R&B", "at&t & r&b"),
        ("rock 'n' roll at eight o'clock in the '90s", "rock 'n' roll at eight o'clock in the '90s"),
        ("see http://www.example.com/a?b=c#d now", "see http://www.example.com/a?b=c#d now"),
        ("hello 😀 wor😀ld ❤ ★", "hello wor ld ❤ ★"),
        ("...", ""),
        ("", ""),
        (" \n\t ", ""),
    ],
)
def test_known_captions(caption: str, tokens: str) -> None:
    assert " ".join(ptb_tokens(caption)) == tokens


def test_every_probe_of_the_official_tokenizer(shared: Path) -> None:
    probes = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))["tokenizer_probes"]
    checked = [probe for probe in probes if probe["context_free"]]
    assert len(checked) > 400
    wrong = {
        probe["text"]: (" ".join(ptb_tokens(probe["text"])), probe["tokenized"])
        for probe in checked
        if " ".join(ptb_tokens(probe["text"])) != probe["tokenized"]
    }
    assert wrong == {}


@pytest.mark.parametrize("name", ["coco-1000.json", "hard-cases.json"])
def test_every_caption_of_the_official_evaluation(shared: Path, name: str) -> None:
    case = json.loads((shared / "oracle" / name).read_text("utf-8"))
    neighbours_matter = set(case["checks"].get("pair_captions_that_are_context_dependent", []))
    compared = 0
    for image in case["hypotheses"]:
        captions = [case["hypotheses"][image], *case["references"][image]]
        expected = [case["tokenized"]["hypotheses"][image], *case["tokenized"]["references"][image]]
        for caption, tokens in zip(captions, expected, strict=True):
            if caption not in neighbours_matter:
                assert " ".join(ptb_tokens(caption)) == tokens, caption
                compared += 1
    assert compared > len(case["hypotheses"])


@pytest.mark.parametrize("line_break", LINE_BREAKS + "\n")
def test_a_line_break_inside_a_caption_is_a_space(line_break: str) -> None:
    assert ptb_tokens(f"a dog{line_break}runs") == ("a", "dog", "runs")


@given(st.text(max_size=60))
def test_any_text_gives_tokens_without_spaces_or_dropped_punctuation(caption: str) -> None:
    for token in ptb_tokens(caption):
        assert token
        assert " " not in token
        assert token not in DROPPED_TOKENS


PIECES = (
    *("a", "dog", "i", "cannot", "gonna", "runs", "The", "U", "wanna", "X"),
    *("Mr", "etc", "in", "No", "Inc", ",", ".", "on,", "fast."),
    *(
        "dog's",
        "it's",
        "s's",
        "e2",
        "B2B",
        "P-40",
        "t-shirt",
        "x-ray",
        "close-up",
        "cannot-do",
        "a,b",
        "1st",
        "dogs'",
    ),
)
CAPTION_LIKE = st.builds(
    str.join, st.sampled_from([" ", " ", ","]), st.lists(st.sampled_from(PIECES), max_size=8)
)


@given(CAPTION_LIKE)
def test_the_quick_way_agrees_with_the_lexer(caption: str) -> None:
    quick = ptb_tokenizer._plain_words(caption)
    assert quick is None or quick == ptb_tokenizer._lexed(caption)


@pytest.mark.parametrize("name", ["coco-1000.json", "hard-cases.json"])
def test_the_quick_way_agrees_on_every_real_caption(shared: Path, name: str) -> None:
    case = json.loads((shared / "oracle" / name).read_text("utf-8"))
    captions = [
        *case["hypotheses"].values(),
        *(text for texts in case["references"].values() for text in texts),
    ]
    quick = {caption: ptb_tokenizer._plain_words(caption) for caption in captions}
    taken = [caption for caption, tokens in quick.items() if tokens is not None]
    assert len(taken) > len(captions) / 3
    for caption in taken:
        assert quick[caption] == ptb_tokenizer._lexed(caption), caption


@given(CAPTION_LIKE)
def test_case_changes_no_plain_word(caption: str) -> None:
    plain = caption.translate(str.maketrans("", "", ".,'"))
    assert ptb_tokens(plain.upper()) == ptb_tokens(plain.lower())


@pytest.mark.parametrize(
    ("caption", "tokens"),
    [("s'sa", ["s", "sa"]), ("S'SA", ["s'sa"]), ("t'sa", ["t", "sa"]), ("s's,a", ["s", "'s", "a"])],
)
def test_apostrophes_where_case_matters_to_the_official_tokenizer(caption, tokens):
    """As Stanford CoreNLP 3.4.1 prints them with -lowerCase; its back quote is punctuation."""
    assert list(ptb_tokens(caption)) == tokens


@pytest.mark.parametrize(
    ("caption", "tokens"),
    [
        ("see „“ and ‚‘ signs", "see „`` and ‚` signs"),
        ("„Stopp“ it says", "„ stopp it says"),
        ("a ”‟ b ‚‚ c", "a ''‟ b ‚‚ c"),
        ("<a b='c d(e)'> <!x(y)z>", "<a\xa0b='c\xa0d(e)'> <!x(y)z>"),
        ("\xadisn't \xadn't", "is n't n t"),
        ("a\xadb.png and a\xadb", "a\xadb.png and ab"),
        ("a\u2003b@c", "a\u2003b@c"),
        ("a\xa0b@c", "a b@c"),
        ("http://a.b\xa0c d", "http://a.b\xa0c d"),
        ("www.a\xa0b.com", "www.a\xa0b.com"),
        ("dog \xa0x.com", "dog x.com"),
        ("dog\xa0example.net", "dog\xa0example.net"),
        ("5\xa0\xa0x.com", "5 \xa0\xa0x.com"),
        ("a.com/x\u202f", "a.com/x"),
    ],
)
def test_rare_marks_and_spaces(caption: str, tokens: str) -> None:
    """As the official tokenizer prints them."""
    assert " ".join(ptb_tokens(caption)) == tokens


ODD = (
    *".,;:!?'\"`()[]{}<>/\\|@#$%^&*_-+=~“”‘’„‚«»–—…•¡¿´″€£¥¢½²°™®❤★🐶\xa0\u3000\xad",
    *(
        "...",
        "!!",
        "?!",
        "--",
        "''",
        "``",
        "don't",
        "it’s",
        "cannot",
        "o'clock",
        "'90s",
        "y'all",
        "rock'n'roll",
    ),
    *(
        "1,000",
        "3.14",
        "1/2",
        "2 1/2",
        "5pm",
        "10:30",
        "12/25/2010",
        "555-1234",
        "(555) 123-4567",
        "#1",
        "No. 1",
    ),
    *(
        "$5",
        "£10",
        "20€",
        "US$5",
        "www.x.com",
        "http://a.b/c?d",
        "a@b.com",
        "x.jpg",
        "@user",
        "#dog",
        "<b>",
        "</s>",
    ),
    *(
        "Mr.",
        "St.",
        "U.S.",
        "a.m.",
        "etc.",
        "Inc.",
        "J.",
        "AT&T",
        "&amp;",
        "t-shirt",
        "and/or",
        "his/her",
        ":)",
        "<3",
    ),
    *("niño", "café", "cafe\u0301", "東京", "Привет", "مرحبا", "A", "the", "He", "\t", "  "),
)


def test_made_up_captions_have_the_tokens_of_the_official_tokenizer(java: str, shared: Path) -> None:
    """Real captions with odd things between and inside their words, all in one run of Java."""
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    case = json.loads((shared / "oracle" / "coco-1000.json").read_text("utf-8"))
    real = [text for texts in case["references"].values() for text in texts]

    def odd() -> str:
        text = chance.choice(real).replace("\n", " ")
        for _ in range(chance.randint(1, 5)):
            place = chance.choice([chance.randrange(len(text) + 1), text.find(" ") + 1, len(text)])
            text = text[:place] + chance.choice(ODD) + chance.choice(["", " "]) + text[place:]
        return text

    captions = [odd() for _ in range(5000)]
    # What follows a caption begins with a lower-case letter, so that nothing depends on it.
    lines = official_lines(java, [line for caption in captions for line in (caption, "the next")])
    assert lines[1::2] == ["the next"] * len(captions)
    wrong = {
        caption: (" ".join(ptb_tokens(caption)), theirs)
        for caption, theirs in zip(captions, lines[::2], strict=True)
        if " ".join(ptb_tokens(caption)) != theirs
    }
    assert wrong == {}


def official_lines(java: str, captions: list[str]) -> list[str]:
    """Tokens of each caption as the official evaluation has them, joined by spaces."""
    from pycocoevalcap.tokenizer import ptbtokenizer

    folder = Path(ptbtokenizer.__file__).parent
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write("\n".join(captions))
        file.flush()
        program = ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", file.name]
        jar = folder / ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR
        done = subprocess.run(
            [java, "-Dfile.encoding=UTF-8", "-cp", jar, *program], capture_output=True, check=True
        )
    lines = done.stdout.decode("utf-8").split("\n")[: len(captions)]
    return [" ".join(w for w in line.rstrip().split(" ") if w not in DROPPED_TOKENS) for line in lines]
