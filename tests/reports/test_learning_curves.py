from __future__ import annotations

import math

import pytest

from leyenda.reports.learning_curves import MOST_ROWS, learning_curves
from leyenda.reports.texts import wording

ENGLISH = wording("en")


def test_a_chart_for_each_quantity_loss_first(history):
    curves = learning_curves(history, ENGLISH)
    assert [curve.key for curve in curves] == ["loss", "eval_wer", "learning_rate"]
    assert [series.name for series in curves[0].series] == ["training", "validation"]


def test_the_words_beside_a_chart_say_what_it_shows(history):
    wer = learning_curves(history, ENGLISH)[1]
    assert wer.about == "WER: 0.800 at step 50, 0.200 at step 200. Lowest: 0.200 at step 200."


def test_a_reward_stands_behind_the_loss_in_both_languages():
    rows = [{"step": 1, "loss": 2.0, "grad_norm": 1.0, "reward": -0.9, "eval_wer": 0.7}]
    for language, name in (("en", "Reward"), ("es", "Recompensa")):
        curves = learning_curves(rows, wording(language))
        assert [curve.key for curve in curves] == ["loss", "reward", "eval_wer", "grad_norm"]
        assert [curve.is_first for curve in curves] == [True, True, True, False]
        assert curves[1].title == name


def test_the_table_holds_every_value(history):
    loss = learning_curves(history, ENGLISH)[0]
    assert len(loss.rows) == 20
    assert dict(loss.rows)[50] == (pytest.approx(3 / 50**0.5), pytest.approx(4 / 50**0.5))
    assert dict(loss.rows)[60][1] is None


def test_long_histories_are_thinned_with_both_ends_kept():
    (curve,) = learning_curves([{"step": step, "loss": 1 / step} for step in range(1, 5001)], ENGLISH)
    assert (len(curve.rows), curve.points) == (MOST_ROWS, 5000)
    assert (curve.rows[0][0], curve.rows[-1][0]) == (1, 5000)


def test_what_is_no_number_is_left_out():
    rows = [
        {"step": 1, "loss": 2.0},
        {"step": 2, "loss": math.nan},
        {"step": 3, "loss": "much"},
        {"loss": 1.0},
    ]
    (curve,) = learning_curves(rows, ENGLISH)
    assert curve.series[0].points == {1: 2.0}
    assert curve.about == "Loss: 2.000 at step 1."


def test_after_a_resume_the_later_row_counts():
    (curve,) = learning_curves([{"step": 5, "loss": 9.0}, {"step": 5, "loss": 1.0}], ENGLISH)
    assert curve.series[0].points == {5: 1.0}


def test_no_history_no_chart():
    assert learning_curves([], ENGLISH) == []
    assert learning_curves([{"step": 1, "epoch": 0.1}], ENGLISH) == []


def test_drawings_follow_the_pages_colours_and_keep_to_themselves(history):
    for curve in learning_curves(history, ENGLISH):
        drawing = str(curve.drawing)
        assert "var(--accent)" in drawing
        assert "#0101" not in drawing
        assert "<style" not in drawing
        assert "http" not in drawing


def test_spanish_ticks():
    rows = [{"step": step, "loss": step / 1000} for step in range(1000, 4000, 250)]
    drawing = str(learning_curves(rows, wording("es"))[0].drawing)
    assert "Paso" in drawing
    assert "2\u202f000" in drawing or "1\u202f600" in drawing
