"""What every metric promises, and what happens with captions and references that do not fit together."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leyenda import metrics
from leyenda.errors import ScoreError
from leyenda.metrics import document_frequencies

CAPTION = st.lists(
    st.sampled_from(["a", "dog", "cat", "the", "niño", "runs", "don't", "red.", ",", "🐶", "2 1/2"]),
    max_size=7,
).map(" ".join)
SENTENCE = st.lists(st.sampled_from(["a", "dog", "cat", "the", "niño", "runs"]), min_size=4, max_size=7).map(
    " ".join
)
IMAGES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(CAPTION, st.lists(CAPTION, min_size=1, max_size=3)), min_size=1
)
USUAL_NAMES = [
    *("wer", "wer_first", "cer", "rouge1", "rouge2", "rougeL"),
    *("bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider_d", "coco_rouge_l", "distinct"),
]
OTHER_NAMES = ["mer", "wil", "rougeLsum", "sacrebleu", "chrf"]
ALL_NAMES = list(metrics.METRICS)


def sides(images: dict[str, tuple[str, list[str]]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    return {i: said for i, (said, _) in images.items()}, {i: wanted for i, (_, wanted) in images.items()}


@settings(max_examples=40, deadline=None)
@given(IMAGES)
def test_every_value_is_a_number_in_its_range(images: dict[str, tuple[str, list[str]]]) -> None:
    scores = metrics.score(*sides(images), ALL_NAMES)
    assert list(scores.values) == ALL_NAMES == list(scores.normalization)
    assert scores.images == len(images)
    for name, value in scores.values.items():
        for number in (value, *scores.per_image.get(name, {}).values()):
            assert math.isfinite(number), name
            assert number >= 0.0, name
            if metrics.METRICS[name].direction == "higher":
                assert number <= metrics.METRICS[name].best + 1e-9, name


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_matter(images: dict[str, tuple[str, list[str]]], chance) -> None:
    hypotheses, references = sides(images)
    names = list(images)
    chance.shuffle(names)
    scores = metrics.score(hypotheses, references, ALL_NAMES)
    other = metrics.score(
        {name: hypotheses[name] for name in names}, dict(reversed(references.items())), ALL_NAMES
    )
    assert other.values == pytest.approx(scores.values, abs=1e-12)
    for name, per_image in scores.per_image.items():
        assert other.per_image[name] == pytest.approx(per_image, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(IMAGES)
def test_an_image_scores_alone_as_among_others(images: dict[str, tuple[str, list[str]]]) -> None:
    """Not so CIDEr-D: its weights come from all images, and that is documented."""
    hypotheses, references = sides(images)
    names = [name for name in ALL_NAMES if name not in ("cider_d", "distinct")]
    together = metrics.score(hypotheses, references, names)
    for image in images:
        alone = metrics.score({image: hypotheses[image]}, {image: references[image]}, names)
        for name in names:
            assert (
                together.per_image[name][image]
                == alone.per_image[name][image]
                == pytest.approx(alone.values[name])
            )


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(SENTENCE, min_size=1, max_size=3), min_size=1))
def test_a_caption_equal_to_a_reference_is_the_best_there_is(references: dict[str, list[str]]) -> None:
    """Not CIDEr-D, which asks to agree with *all* references, and `wer_first`, which asks for the first."""
    scores = metrics.score({image: texts[-1] for image, texts in references.items()}, references, ALL_NAMES)
    for name in set(ALL_NAMES) - {"cider_d", "wer_first", "distinct"}:
        assert scores.values[name] == pytest.approx(metrics.METRICS[name].best, abs=1e-8), name


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), SENTENCE, min_size=1), IMAGES)
def test_with_the_only_reference_the_other_scores_are_best_too(
    captions: dict[str, str], others: dict[str, tuple[str, list[str]]]
) -> None:
    """CIDEr-D: with weights from a collection in which some image lacks each phrase (here: one of other words)."""
    references = {image: [text] for image, text in captions.items()}
    weights = document_frequencies.build([["zebra"], *(texts for _, texts in others.values())])
    names = ["cider_d", "wer_first"]
    scores = metrics.score(captions, references, names, document_frequencies=weights)
    assert scores.values == pytest.approx({"cider_d": 10.0, "wer_first": 0.0})
    shuffled = metrics.score(dict.fromkeys(captions, "a"), references, names, document_frequencies=weights)
    assert shuffled.values["cider_d"] < 10.0


@settings(max_examples=40, deadline=None)
@given(IMAGES, IMAGES, st.sampled_from(["ptb", "unicode"]))
def test_with_given_weights_cider_d_of_an_image_is_the_same_alone(
    images: dict[str, tuple[str, list[str]]], collection: dict[str, tuple[str, list[str]]], tokenizer: str
) -> None:
    hypotheses, references = sides(images)
    options = {
        "tokenizer": tokenizer,
        "document_frequencies": document_frequencies.build(sides(collection)[1], tokenizer=tokenizer),
    }
    together = metrics.score(hypotheses, references, ["cider_d"], **options)
    for image in images:
        alone = metrics.score(
            {image: hypotheses[image]}, {image: references[image]}, ["cider_d"], **options
        ).values["cider_d"]
        assert together.per_image["cider_d"][image] == pytest.approx(alone, abs=1e-12)
        assert 0.0 <= alone <= 10.0 + 1e-9


LOWER = {name for name in ALL_NAMES if metrics.METRICS[name].direction == "lower"}
HIGHER = set(ALL_NAMES) - LOWER - {"distinct"}


@pytest.mark.parametrize("caption", ["", "...", " \t", "?", "“”"])
def test_a_caption_without_words_scores_worst(caption: str) -> None:
    values = metrics.score(
        {"1": caption, "2": "a cat"}, {"1": ["a dog runs", "the dog"], "2": ["a cat"]}, ALL_NAMES
    ).per_image
    assert {name: values[name]["1"] for name in HIGHER} == pytest.approx(dict.fromkeys(HIGHER, 0.0), abs=1e-6)
    assert {name: values[name]["1"] for name in LOWER} == dict.fromkeys(LOWER, 1.0)


def test_an_empty_reference_makes_every_word_one_too_many() -> None:
    values = metrics.score({"1": "a red dog"}, {"1": [""]}, ALL_NAMES).values
    assert {name: values[name] for name in HIGHER} == pytest.approx(dict.fromkeys(HIGHER, 0.0), abs=1e-6)
    assert {name: values[name] for name in ("wer", "wer_first", "mer", "wil", "cer")} == {
        "wer": 3.0,
        "wer_first": 3.0,
        "mer": 1.0,
        "wil": 1.0,
        "cer": 9.0,
    }


def test_where_nothing_was_said_and_nothing_wanted_nothing_is_wrong() -> None:
    values = metrics.score({"1": ""}, {"1": [""]}, ALL_NAMES).values
    assert {name: values[name] for name in LOWER} == dict.fromkeys(LOWER, 0.0)
    good = {name: float(name == "coco_rouge_l") for name in HIGHER}
    assert {name: values[name] for name in HIGHER} == pytest.approx(good, abs=1e-6)


def test_a_reference_given_twice_counts_twice_in_cider_d_only() -> None:
    captions = {"1": "a dog runs", "2": "two cats sleep"}
    once = metrics.score(captions, {"1": ["a dog runs", "a cow"], "2": ["cats sleep"]}, ALL_NAMES).values
    twice = metrics.score(
        captions, {"1": ["a dog runs", "a cow", "a cow"], "2": ["cats sleep"]}, ALL_NAMES
    ).values
    assert {name for name in ALL_NAMES if twice[name] != pytest.approx(once[name])} == {"cider_d"}


def test_cider_d_is_ten_for_the_only_reference_of_different_images() -> None:
    captions = {"1": "a dog runs on grass", "2": "two cats sleep on sofas"}
    scores = metrics.score(captions, {image: [text] for image, text in captions.items()})
    assert scores.values["cider_d"] == pytest.approx(metrics.METRICS["cider_d"].best)
    assert scores.values["wer_first"] == 0.0
    assert scores.values["distinct"] == 1.0


def test_distinct_ignores_case_and_punctuation() -> None:
    captions = {"1": "A dog.", "2": "a dog", "3": "a cat", "4": "a dog!"}
    scores = metrics.score(captions, {image: ["x"] for image in captions}, ["distinct"])
    assert scores.values["distinct"] == 0.5
    assert "distinct" not in scores.per_image


def test_only_the_metrics_asked_for_in_that_order_once_each() -> None:
    scores = metrics.score({"1": "a"}, {"1": ["a"]}, ["rouge1", "wer", "rouge1"])
    assert list(scores.values) == ["rouge1", "wer"]


@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        ({}, {}, "There is nothing to score"),
        ({"a": "x"}, {"a": ["x"], "b": ["y"]}, "1 image has no generated caption: 'b'"),
        ({"a": "x", "z": "y"}, {"a": ["x"]}, "1 image has a generated caption but no references: 'z'"),
        ({"a": "x", "b": "y"}, {"a": ["x"], "b": []}, "1 image has an empty list of references: 'b'"),
        ({"a": "x"}, {"a": "a dog"}, "The references of 'a' are one text"),
        ({"a": None}, {"a": ["x"]}, "A caption of 'a' is None"),
        ({"a": "x"}, {"a": ["x", None]}, "A caption of 'a' is None"),
    ],
)
def test_what_does_not_fit_together_is_named(hypotheses, references, message: str) -> None:
    with pytest.raises(ScoreError) as caught:
        metrics.score(hypotheses, references)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_the_first_few_of_many_ids_are_listed() -> None:
    with pytest.raises(ScoreError) as caught:
        metrics.score({"a": "x"}, {"a": ["x"], **{f"image{n}": ["y"] for n in range(24)}})
    assert "24 images have no generated caption: 'image0', 'image1'" in str(caught.value)
    assert "'image19' and 4 more" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "tokenizer", "message"),
    [
        (["bleu4"], "ptb", "There is no metric 'bleu4'. Did you mean 'bleu_4'"),
        (["zzz"], "ptb", "There is no metric 'zzz'. They are: wer,"),
        (["wer"], "unicod", "There is no tokenizer 'unicod'. Did you mean 'unicode'?"),
    ],
)
def test_unknown_names(names: list[str], tokenizer: str, message: str) -> None:
    with pytest.raises(ScoreError) as caught:
        metrics.score({"a": "x"}, {"a": ["x"]}, names, tokenizer=tokenizer)
    assert str(caught.value).startswith(message)


def test_better_follows_the_direction() -> None:
    assert metrics.better("wer", 0.1, 0.2)
    assert not metrics.better("bleu_4", 0.1, 0.2)
    assert metrics.better("cider_d", 2.0, 1.0)
    assert not metrics.better("cer", 0.5, 0.5)
    with pytest.raises(ScoreError, match="'rouge1'"):
        metrics.better("rouge_1", 0.1, 0.2)


def test_every_metric_is_explained_in_two_languages() -> None:
    for metric in metrics.METRICS.values():
        assert metric.english.endswith(".")
        assert metric.spanish.endswith(".")
        assert metric.english != metric.spanish


def test_importing_metrics_loads_nothing_heavy() -> None:
    heavy = (
        "('torch', 'transformers', 'jiwer', 'rapidfuzz', 'rouge_score', 'nltk', 'matplotlib', 'sacrebleu')"
    )
    code = f"import sys, leyenda.metrics; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
