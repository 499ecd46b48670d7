"""The tokenizer against the official one: its recorded output, and cases anyone can check by eye."""

from __future__ import annotations

import json
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
