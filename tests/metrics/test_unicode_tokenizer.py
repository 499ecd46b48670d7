"""Words by Unicode's boundaries."""

from __future__ import annotations

import pytest

from leyenda import metrics
from leyenda.metrics.unicode_tokenizer import letter_runs, unicode_tokens


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("¿Qué hace el NIÑO? ¡Corre!", ["qué", "hace", "el", "niño", "corre"]),
        ("cafe\u0301 con leche", ["café", "con", "leche"]),
        ("don't l’eau", ["don't", "l’eau"]),
        ("3,14 y 1.000", ["3,14", "y", "1.000"]),
        ("well-known", ["well", "known"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("你好 世界", ["你", "好", "世", "界"]),
        ("🐶 perro 🐶", ["perro"]),
        ("'quoted'", ["quoted"]),
        ("...", []),
    ],
)
def test_words(caption: str, words: list[str]) -> None:
    assert list(unicode_tokens(caption)) == words


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
