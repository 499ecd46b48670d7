"""What the terminal shows of an evaluation."""

from __future__ import annotations

import dataclasses

from leyenda.records import Resampling, Scores
from leyenda.reports.table import scores_table


def test_a_score_has_its_interval_and_its_controls_beside_it(result):
    bounds = dataclasses.replace(
        result.scores, intervals={"wer": (0.1234, 0.5678)}, resampling=Resampling(resamples=700, seed=3)
    )
    lines = scores_table(dataclasses.replace(result, scores=bounds)).splitlines()
    assert lines[0].split() == ["score", "model", "95%", "interval", "constant", "shuffled", "better", "is"]
    row = next(line for line in lines if line.startswith("wer "))
    assert "0.1234 to 0.5678" in row
    assert f"{result.controls['shuffled'].values['wer']:.4f}" in row
    assert next(line for line in lines if line.startswith("distinct")).split()[2] == "–"
    assert any("700 resamples, seed 3" in line for line in lines)


def test_without_intervals_there_is_no_such_column(result):
    for how in (None, Resampling()):
        bare = dataclasses.replace(result.scores, intervals={}, resampling=how)
        assert "interval" not in scores_table(dataclasses.replace(result, scores=bare)).lower()


def test_people_stand_beside_the_model_where_a_picture_has_several_captions(evaluate):
    several = evaluate(["a dog", "a cat"], [("a dog", "the dog"), ("one cat",)])
    assert "One person" not in scores_table(dataclasses.replace(several, human=None))
    text = scores_table(several)
    assert "One person against the others, on 1 picture with several captions" in text
    after = text[text.index("One person") :].splitlines()
    assert after[1].split() == ["score", "model", "one", "person"]
    assert after[2].split()[0] == "wer"


def test_it_says_what_captions_are_like_and_how_words_were_made(evaluate):
    lines = scores_table(evaluate(["a dog", "a dog"], [("a dog",), ("one cat",)])).splitlines()
    assert "distinct captions  50%    100%" in lines
    assert any(line.startswith("words per caption") for line in lines)
    words = next(line for line in lines if line.startswith("bleu_1, bleu_2"))
    assert "Penn Treebank tokens" in words
    assert "rules for English" in words
    assert "cider_d, coco_rouge_l" in words
    assert any(line.startswith("wer, wer_first, cer") and "lower case" in line for line in lines)


def test_one_picture_is_one_picture():
    from leyenda.records import EvaluationResult, Skipped

    scores = Scores({"wer": 0.5}, images=1)
    text = scores_table(EvaluationResult("m", scores, {}, "a dog", (), {"b": Skipped("url", "gone")}))
    assert "1 picture; constant caption: 'a dog'; 1 picture skipped" in text
