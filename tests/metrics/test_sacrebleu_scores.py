"""BLEU and chrF of sacrebleu: the library called directly, and the oracle's figures."""

from __future__ import annotations

import json
import sys
from itertools import zip_longest
from pathlib import Path

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.errors import MissingExtra

NAMES = ["sacrebleu", "chrf"]
TEXT = st.text(st.sampled_from("aabcDé .,'1"), max_size=20)
IMAGES = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1
)


def test_equal_to_the_oracle(shared: Path) -> None:
    case = json.loads((shared / "oracle" / "hard-cases.json").read_text("utf-8"))
    expected = case["text_scores"]["sacrebleu_extra"]
    scores = metrics.score(case["hypotheses"], case["references"], NAMES)
    assert scores.values["sacrebleu"] == pytest.approx(expected["bleu"], abs=1e-9)
    assert scores.values["chrf"] == pytest.approx(expected["chrf2"], abs=1e-9)
    for name, key in (("sacrebleu", "bleu_signature"), ("chrf", "chrf_signature")):
        official = expected[key].rpartition("|")[0].replace("eff:no", "eff:yes")
        assert official in scores.normalization[name]


@settings(max_examples=60, deadline=None)
@given(IMAGES)
def test_equal_to_the_library(images: dict[str, tuple[str, list[str]]]) -> None:
    said = [caption for caption, _ in images.values()]
    streams = list(zip_longest(*(texts for _, texts in images.values())))
    scores = metrics.score(
        {image: caption for image, (caption, _) in images.items()},
        {image: texts for image, (_, texts) in images.items()},
        NAMES,
    )
    library = sacrebleu.BLEU(effective_order=True)
    assert scores.values["sacrebleu"] == pytest.approx(library.corpus_score(said, streams).score, abs=1e-9)
    if any(len(caption.split()) >= 4 for caption in said):
        usual = sacrebleu.corpus_bleu(said, streams).score
        assert scores.values["sacrebleu"] == pytest.approx(usual, abs=1e-9)
    assert scores.values["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, streams).score, abs=1e-9)
    for image, (caption, texts) in images.items():
        alone = {"sacrebleu": sacrebleu.sentence_bleu, "chrf": sacrebleu.sentence_chrf}
        for name, sentence in alone.items():
            expected = min(100.0, sentence(caption, texts).score)
            assert scores.per_image[name][image] == pytest.approx(expected, abs=1e-9)


def test_the_readmes_example() -> None:
    """The example of sacrebleu's README: three sentences, two reference streams, BLEU 48.530827, chrF2 59.73."""
    said = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
    wanted = [
        ["The dog bit the man.", "The dog had bit the man."],
        ["It was not unexpected.", "No one was surprised."],
        ["The man bit him first.", "The man had bitten the dog."],
    ]
    ids = "123"
    scores = metrics.score(dict(zip(ids, said, strict=True)), dict(zip(ids, wanted, strict=True)), NAMES)
    assert scores.values["sacrebleu"] == pytest.approx(48.530827009929865, abs=1e-9)
    assert scores.values["chrf"] == pytest.approx(59.73, abs=0.005)


def test_capital_letters_count() -> None:
    scores = metrics.score({"1": "A DOG"}, {"1": ["a dog"]}, NAMES)
    assert scores.values["sacrebleu"] == 0.0
    assert "case:mixed" in scores.normalization["chrf"]


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(MissingExtra, match=r'pip install "leyenda\[scores\]"'):
        metrics.score({"1": "a"}, {"1": ["a"]}, ["chrf"])
