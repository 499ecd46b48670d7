"""Words by Unicode's boundaries: cases of the standard, and another implementation of it (`regex`)."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.metrics.unicode_tokenizer import letter_runs, nfc, unicode_tokens


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("¿Qué hace el NIÑO? ¡Corre!", ["qué", "hace", "el", "niño", "corre"]),
        ("cafe\u0301 con leche", ["café", "con", "leche"]),
        ("q\u0307ue\u0308\u0301", ["q\u0307uë\u0301"]),  # marks that no single character holds
        ("don't l’eau", ["don't", "l’eau"]),
        ("'quoted' “too”", ["quoted", "too"]),
        ("rock 'n' roll", ["rock", "n", "roll"]),
        ("3,14 y 1.000 y 5%", ["3,14", "y", "1.000", "y", "5"]),
        ("a las 10:30", ["a", "las", "10", "30"]),
        ("3.5km 4x4 3D", ["3.5km", "4x4", "3d"]),
        ("1½ m²", ["1", "½", "m", "²"]),
        ("e.g. U.S.A. a.b", ["e.g", "u.s.a", "a.b"]),
        ("well-known", ["well", "known"]),
        ("snake_case _ __", ["snake_case"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("你好 世界", ["你", "好", "世", "界"]),
        ("b\u0301.a e\u0301\u0308,2", ["b\u0301.a", "é\u0308", "2"]),
        ("aは犬b", ["a", "は", "犬", "b"]),
        ("カタカナ ｶﾀ ソーa", ["カタカナ", "ｶﾀ", "ソー", "a"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ('צה"ל ש״ח', ['צה"ל', "ש״ח"]),
        ("٣٫١٤", ["٣٫١٤"]),
        ("🐶 perro 👨‍👩‍👧 🇪🇸 ❤️", ["perro"]),
        ("a\u00adb a\u200bb", ["a\u00adb", "a", "b"]),
        ("...", []),
        ("", []),
    ],
)
def test_words(caption: str, words: list[str]) -> None:
    assert list(unicode_tokens(caption)) == words


def boundaries_of_regex(caption: str) -> tuple[str, ...]:
    text = nfc(nfc(caption).lower())
    edges = [0, *(match.start() for match in regex.finditer(r"(?w)\b", text)), len(text)]
    pieces = (text[start:end] for start, end in itertools.pairwise(edges))
    return tuple(piece for piece in pieces if regex.search(r"[\p{L}\p{N}]", piece))


# Not both: `regex` looks past no mark before a full stop or comma, which the standard's rule WB4 asks for.
PUNCTUATED = st.text(st.sampled_from("abéÑ 12٣½²_-:;,.🐶¿¡カー犬はไ한ह"), max_size=12)
ACCENTED = st.text(st.sampled_from("abéÑ 12٣½²_-\u0301\u0308¿¡カー犬はไ한हि"), max_size=12)


@given(PUNCTUATED | ACCENTED)
def test_boundaries_are_those_of_another_implementation(caption: str) -> None:
    said = f"a {caption}"  # a mark at the very beginning stands on nothing
    assert unicode_tokens(said) == boundaries_of_regex(said)


def test_boundaries_on_every_caption_of_the_oracle(shared: Path) -> None:
    for name in ("coco-1000.json", "hard-cases.json"):
        case = json.loads((shared / "oracle" / name).read_text("utf-8"))
        captions = [
            *case["hypotheses"].values(),
            *(text for texts in case["references"].values() for text in texts),
        ]
        for caption in captions:
            assert unicode_tokens(caption) == boundaries_of_regex(caption), caption


@given(st.text(max_size=30))
def test_any_text_gives_words_without_spaces(caption: str) -> None:
    for word in unicode_tokens(caption):
        assert word == word.strip() != ""


def test_runs_split_at_apostrophes() -> None:
    assert letter_runs("the dog's 3.5 niños_") == ("the", "dog", "s", "3", "5", "niños")


def test_a_decomposed_accent_counts_as_the_same_word() -> None:
    hypotheses, references = (
        {"1": "un nin\u0303o corre", "2": "la playa"},
        {"1": ["un niño corre"], "2": ["la playa"]},
    )
    names = ["bleu_1", "cider_d", "coco_rouge_l"]
    spanish = metrics.score(hypotheses, references, names, tokenizer="unicode")
    official = metrics.score(hypotheses, references, names)
    assert spanish.values["coco_rouge_l"] == 1.0
    assert official.values["coco_rouge_l"] < 1.0
    assert all("Unicode" in words for words in spanish.normalization.values())
    assert all("Penn Treebank" in words for words in official.normalization.values())
