from __future__ import annotations

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leyenda.metrics import score
from leyenda.reports.differences import compare, words

SENTENCES = st.lists(st.sampled_from(["a", "dog", "cat", "runs", "big"]), min_size=1, max_size=9).map(
    " ".join
)


@given(SENTENCES, SENTENCES)
def test_errors_are_those_of_jiwer(caption, reference):
    counted = jiwer.process_words(reference, caption)
    found = compare(caption, [reference])
    assert found.errors == counted.substitutions + counted.deletions + counted.insertions


@given(SENTENCES, SENTENCES)
def test_marks_hold_both_texts(caption, reference):
    marks = compare(caption, [reference]).marks
    assert " ".join(mark.word.key for mark in marks if mark.kind != "missing") == caption
    assert " ".join(mark.word.key for mark in marks if mark.kind != "extra") == reference


@given(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=4))
def test_nearest_reference_is_the_one_behind_the_score(caption, references):
    found = compare(caption, references)
    rate = found.errors / len(references[found.nearest].split())
    assert rate == pytest.approx(score({"1": caption}, {"1": references}, ["wer"]).values["wer"])


def test_case_and_punctuation_do_not_count():
    assert compare("A dog, running !", ["a DOG running ."]).errors == 0


def test_accents_count():
    assert compare("un nino corre", ["un niño corre"]).swaps() == [("niño", "nino")]


def test_neighbouring_changes_are_one_run_with_the_persons_words_first():
    runs = compare("a small cat sleeps", ["a big dog sleeps"]).runs()
    assert runs == [("same", "a"), ("missing", "big dog"), ("extra", "small cat"), ("same", "sleeps")]


def test_words_only_one_side_has_are_not_swaps():
    assert compare("a dog", ["a big brown dog"]).swaps() == []


@pytest.mark.parametrize(
    ("caption", "references", "errors"),
    [("", ["a dog"], 2), ("a dog", [""], 2), ("...", ["!"], 0), ("", [""], 0)],
)
def test_empty_texts(caption, references, errors):
    assert compare(caption, references).errors == errors


def test_without_references_there_is_nothing_to_compare():
    assert compare("a dog", []) is None


def test_words_keep_how_they_were_written():
    assert [word.written for word in words("“Two” dogs .")] == ["“Two”", "dogs"]
