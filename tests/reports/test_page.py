from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from itertools import pairwise

import pytest
import yaml

from leyenda.errors import DiskError, LeyendaError, MissingExtra
from leyenda.records import EvaluationResult, Prediction, Scores, Skipped
from leyenda.reports import render_report, write_report
from leyenda.reports.gallery import SHELF

NASTY = "<script>alert(\"1\")</script> & 'quoted' {{ 7 * 7 }} </title></style>"


@pytest.fixture(scope="module")
def full(result, evaluate, history, read_page):
    """The page with everything in it."""
    base = evaluate(["a sheep"] * 40, model="base/model")
    return read_page(
        render_report(
            title="Dogs",
            result=result,
            base=base,
            history=history,
            recipe={"training": {"learning_rate": 5e-5}},
            data_summary={
                "images": 12000,
                "splits": {"train": 10, "test": 2},
                "problems": ["one", {"two": True}],
            },
            notes=["A note."],
        )
    )


def test_nothing_is_fetched_and_nothing_runs(full):
    assert not full.all("script")
    for tag, attributes in full.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            if name in attributes:
                assert attributes[name].startswith(("#", "data:")), (tag, attributes[name][:80])
    assert "url(" not in re.sub(r"url\(#", "", full.text("style"))
    assert "@import" not in full.text("style")
    (policy,) = [each["content"] for each in full.all("meta") if each.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


def test_no_address_of_another_machine_in_the_page(result, history):
    page = render_report(title="Dogs", result=result, history=history)
    assert not re.findall(r"https?:|//\w+\.", page)


def test_ids_are_unique_and_every_reference_to_one_holds(full):
    ids = [attributes["id"] for _, attributes in full.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in full.tags:
        for name in ("aria-labelledby", "href"):
            target = attributes.get(name, "")
            if name == "aria-labelledby" or target.startswith("#"):
                assert not target or target.removeprefix("#") in ids


def test_headings_descend_one_level_at_a_time(full):
    levels = [int(tag[1]) for tag, _ in full.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_landmarks_language_and_skip_link(full):
    assert full.all("html") == [{"lang": "en"}]
    for landmark in ("header", "nav", "main", "footer"):
        assert len(full.all(landmark)) == 1
    assert full.all("a")[0]["href"] == f"#{full.all('main')[0]['id']}"


def test_table_headers_have_a_scope(full):
    assert {each.get("scope") for each in full.all("th")} == {"col", "row"}


def test_every_picture_has_its_caption_as_alternative_text(full, result):
    pictures = full.all("img")
    assert len(pictures) == 3 * SHELF
    captions = {each.caption for each in result.predictions}
    assert {picture["alt"] for picture in pictures} <= captions
    assert max(int(picture["width"]) for picture in pictures) == 320


def test_the_headline_counts_wrong_words(full, result):
    errors = round(100 * result.scores.values["wer"])
    assert f"Of 100 words, {errors} are wrong, missing or too many." in full.text()


def test_scores_stand_beside_controls_and_base(full, result):
    text = full.text("table")
    assert "This model Before tuning One sentence for all Shuffled" in text
    for name in ("wer", "cider_d", "bleu_4"):
        for scores in (result.scores, *result.controls.values()):
            assert f"{scores.values[name]:.3f}" in text


def test_differences_are_marked_in_words_too(full):
    assert "left out: −dog" in full.raw("del")
    assert "only the model: +cat" in full.raw("ins")


def test_facts_recipe_and_skipped_pictures_are_there(full):
    assert "12,000" in full.text("dl")
    assert yaml.safe_load(full.raw("code")) == {"training": {"learning_rate": 5e-5}}
    assert "There is no file 'gone.jpg'." in full.text("table")


def test_text_of_others_is_never_markup(evaluate, read_page):
    captions = [NASTY, *(f"a dog number {place} runs" for place in range(1, 20))]
    people = [(NASTY,), *[(f"{NASTY} {place}",) for place in range(1, 20)]]
    bad = evaluate(
        captions,
        people,
        ids=[f"{NASTY}{place}" for place in range(20)],
        model=NASTY,
        skipped={NASTY: Skipped("missing", NASTY)},
    )
    page = read_page(
        render_report(
            title=NASTY,
            result=dataclasses.replace(bad, constant_caption=NASTY),
            base=bad,
            history=[{"step": 1, f"eval_{NASTY}": 0.5, "loss": 1.0}, {"step": 2, f"eval_{NASTY}": 0.4}],
            recipe={NASTY: NASTY},
            data_summary={NASTY: [NASTY, {NASTY: NASTY}]},
            notes=[NASTY],
        )
    )
    assert not page.all("script")
    assert page.text("title") == NASTY
    assert page.text("h1") == NASTY
    assert NASTY in {picture["alt"] for picture in page.all("img")}
    for place in ("dd", "code", "table", "h3", "li", "header"):
        assert NASTY in page.text(place), place


def test_control_characters_and_broken_file_names_do_not_break_the_page(evaluate, tmp_path):
    broken = evaluate(["a\x00b\x1b", "caf\udce9"], ids=["\udcff.jpg", "b"])
    page = write_report(tmp_path / "r.html", title="t", result=broken).read_text(encoding="utf-8")
    assert "a\ufffdb\ufffd" in page
    assert "\ufffd.jpg" in page


def test_an_unreadable_picture_shows_its_reason(evaluate, read_page):
    result = evaluate([f"a cat number {place} runs" for place in range(40)])
    for each in result.predictions[:30]:
        with open(each.image.path, "wb") as file:
            file.write(b"\xff\xd8 cut")
    page = read_page(render_report(title="t", result=result))
    assert 0 < len(page.all("img")) < 3 * SHELF
    assert page.text().count("The picture cannot be shown:") == 3 * SHELF - len(page.all("img"))


def test_predictions_may_name_no_picture(result, read_page):
    bare = [dataclasses.replace(each, image=None) for each in result.predictions]
    page = read_page(render_report(title="t", result=dataclasses.replace(result, predictions=tuple(bare))))
    assert "the predictions do not say where it lies" in page.text()


def test_an_empty_caption_has_words_for_it(evaluate, read_page):
    page = read_page(render_report(title="t", result=evaluate(["", "a dog"])))
    assert "(empty caption)" in {picture["alt"] for picture in page.all("img")}


def test_nothing_scored_is_said_and_not_an_error(read_page):
    nothing = EvaluationResult("m", Scores({}), {}, "", (), {"a.jpg": Skipped("empty", "0 bytes")})
    page = read_page(render_report(title="t", result=nothing))
    assert "No picture was scored." in page.text()


def test_predictions_without_references_or_scores(tmp_path, read_page):
    unjudged = EvaluationResult(
        "m", Scores({}, images=2), {}, "", (Prediction("a", "a dog"), Prediction("b", ""))
    )
    assert "No human caption was given." in read_page(render_report(title="t", result=unjudged)).text()


def test_many_skipped_pictures_are_counted_not_listed(result, read_page):
    skipped = {f"{n}.jpg": Skipped("missing", "gone") for n in range(1234)}
    page = read_page(render_report(title="t", result=dataclasses.replace(result, skipped=skipped)))
    assert "and 1,134 more" in page.text()
    assert "missing 1,234" in page.text()


def test_spanish(result, evaluate, history, read_page):
    page = read_page(
        render_report(
            title="Perros", result=result, base=evaluate(["x"] * 40), history=history, language="es"
        )
    )
    assert page.all("html") == [{"lang": "es"}]
    text = page.text()
    assert f"{result.scores.values['cider_d']:.3f}".replace(".", ",") in text
    for english in ("Pictures", "This model", "Shuffled", "better", "Confidence", "Step"):
        assert english not in text


def test_an_unknown_language_is_named(result):
    with pytest.raises(LeyendaError, match=r"no report in 'fr'.*en, es"):
        render_report(title="t", result=result, language="fr")


def test_the_same_result_gives_the_same_page(result, history):
    once = render_report(title="t", result=result, history=history)
    assert render_report(title="t", result=result, history=history) == once


def test_the_file_is_written_whole_into_a_new_folder(result, tmp_path):
    target = tmp_path / "new" / "report.html"
    assert write_report(target, title="t", result=result) == target
    assert target.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [each.name for each in target.parent.iterdir()] == ["report.html"]


def test_a_file_that_cannot_be_written_is_an_error_that_names_it(result, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiskError, match="folder"):
        write_report(tmp_path / "folder", title="t", result=result)
    assert [each.name for each in tmp_path.iterdir() if "partial" in each.name] == []


def test_curves_without_matplotlib_name_the_extra(result, history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"leyenda\[train\]"):
        render_report(title="t", result=result, history=history)
    assert "Learning curves" not in render_report(title="t", result=result)


def test_importing_reports_loads_no_plots_and_no_model():
    code = """if True:
        import leyenda.reports, sys
        print([name for name in ("matplotlib", "torch", "transformers") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_real_photographs(shared, read_page):
    from leyenda.records import ImageSource

    photographs = sorted((shared / "data" / "flickr8k-800" / "Images").glob("*.jpg"))[:6]
    predictions = tuple(
        Prediction(each.name, f"photograph {place}", image=ImageSource(str(each)))
        for place, each in enumerate(photographs)
    )
    page = render_report(title="t", result=EvaluationResult("m", Scores({}, images=6), {}, "", predictions))
    assert len(read_page(page).all("img")) == 6
    assert len(page) < 400_000


@pytest.mark.parametrize(("language", "shown"), [("en", "0.123 to 0.568"), ("es", "0,123 a 0,568")])
def test_intervals_stand_below_the_models_scores_and_are_explained(language, shown, result, read_page):
    without = read_page(render_report(title="Dogs", result=result, language=language)).text("main")
    assert shown not in without
    scores = dataclasses.replace(result.scores, intervals={"wer": (0.1234, 0.5678)})
    with_intervals = dataclasses.replace(result, scores=scores)
    page = read_page(render_report(title="Dogs", result=with_intervals, language=language))
    assert page.text("main").count(shown) == 1
    assert "95" in page.text("main")
