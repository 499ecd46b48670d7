from __future__ import annotations

import base64
import dataclasses
import io

import pytest
from PIL import Image

from leyenda.records import ImageSource, Scores
from leyenda.reports.gallery import card, ranking_metric, shelves
from leyenda.reports.thumbnails import LONGEST_SIDE, thumbnail


def test_shelves_are_best_worst_and_the_rest_without_repeats(result):
    wer = result.scores.per_image["wer"]
    found = {shelf.kind: shelf.predictions for shelf in shelves(result, 5)}
    assert list(found) == ["best", "worst", "random"]
    shown = [each.id for shelf in found.values() for each in shelf]
    assert len(shown) == len(set(shown)) == 15
    assert [wer[each.id] for each in found["best"]] == sorted(wer.values())[:5]
    assert [wer[each.id] for each in found["worst"]] == sorted(wer.values(), reverse=True)[:5]


def test_few_pictures_make_one_shelf_best_first(evaluate):
    few = evaluate(["x", "a dog number 1 runs", "a dog"])
    (only,) = shelves(few)
    assert (only.kind, [each.id for each in only.predictions]) == ("all", ["1.png", "2.png", "0.png"])


def test_higher_is_better_ranks_the_other_way(result):
    cider = result.scores.per_image["cider_d"]
    other = dataclasses.replace(result, scores=Scores({"cider_d": 1.0}, {"cider_d": cider}, images=40))
    best = shelves(other, 3)[0].predictions
    assert cider[best[0].id] == max(cider.values())


def test_without_scores_of_single_pictures_some_are_drawn(result):
    unscored = dataclasses.replace(result, scores=Scores({}, images=40))
    assert ranking_metric(unscored) is None
    assert [shelf.kind for shelf in shelves(unscored, 4)] == ["random"]


@pytest.mark.parametrize("size", [(1000, 300), (300, 1000), (20, 10)])
def test_thumbnails_are_small_pictures(tmp_path, size):
    Image.new("RGB", size, "green").save(tmp_path / "a.png")
    small = thumbnail(ImageSource(str(tmp_path / "a.png")))
    decoded = Image.open(io.BytesIO(base64.b64decode(small.address.split(",")[1])))
    assert (decoded.format, decoded.size) == ("JPEG", (small.width, small.height))
    assert max(decoded.size) == min(LONGEST_SIDE, max(size))


def test_a_picture_that_cannot_be_read_gives_its_reason(result, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    shown = card(dataclasses.replace(result.predictions[0], image=ImageSource(str(broken))), result, None)
    assert shown.thumbnail is None
    assert "broken.jpg" in shown.reason


def test_the_base_models_caption_stands_beside(result, evaluate):
    base = evaluate([f"before {place}" for place in range(40)])
    assert card(result.predictions[7], result, base).base_caption == "before 7"
    assert card(result.predictions[7], result, None).base_caption is None
