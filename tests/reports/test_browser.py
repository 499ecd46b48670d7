"""The report in a real browser: real photographs, drawings and hostile words, on a phone and on a desktop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from tests.fakes.chromium import DESKTOP, PHONE, Chromium, chromium

from leyenda.cli import main
from leyenda.jobs.compare import compare
from leyenda.jobs.score import scored_predictions
from leyenda.quickstart.dataset import write_dataset
from leyenda.records import ImageSource, Prediction, Skipped
from leyenda.reports import write_comparison, write_report

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"
REPORTS = ("photographs", "creatures", "hostile", "compared")

every_report = pytest.mark.parametrize("name", REPORTS)
every_size = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def photographs(shared, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "photographs"
    train = ["train", str(shared / "data" / "flickr8k-800"), "--output", str(run), "--from-scratch", "tiny"]
    train += ["--device", "cpu", "--batch-size", "16", "--precision", "fp32", "--learning-rate", "2e-3"]
    for setting in ("max_steps=12", "eval_steps=6", "logging_steps=2", "gradient_accumulation_steps=1"):
        train += ["--set", f"training.{setting}"]
    assert main([*train, "--set", "evaluation.max_length=12"]) == 0
    return run / "report.html"


@pytest.fixture(scope="module")
def creatures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("creatures")
    write_dataset(folder / "drawn", language="es", pictures=90)
    words = [
        "evaluate",
        "demo",
        str(folder / "drawn"),
        "--split",
        "all",
        "--language",
        "es",
        "--device",
        "cpu",
    ]
    assert main([*words, "--report", str(folder / "report.html")]) == 0
    return folder / "report.html"


@pytest.fixture
def path(name, request) -> Path:
    return request.getfixturevalue(name)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """A report whose every word is markup, the files' names as well."""
    folder = tmp_path_factory.mktemp("hostile")
    predictions = []
    for number in range(12):
        path = folder / f"<script>alert({number})<!-- .png"
        Image.new("RGB", (120, 90), (number * 8, 90, 120)).save(path)
        caption = f"{NASTY} {number}" if number else NASTY
        predictions.append(
            Prediction(
                f"{NASTY}{number}.png",
                caption,
                number / 30,
                (f"a dog {NASTY}", caption),
                ImageSource(str(path)),
            )
        )
    result = scored_predictions(NASTY, predictions, skipped={NASTY: Skipped("missing", NASTY)})
    return write_report(
        folder / "hostile.html",
        title=NASTY,
        result=result,
        base=result,
        history=[{"step": 1, f"eval_{NASTY}": 0.5, "loss": 1.0}, {"step": 2, "loss": 0.5}],
        recipe={NASTY: NASTY},
        data_summary={NASTY: [NASTY]},
        notes=[NASTY],
    )


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    rows = [(f"{number}.png", f"a dog {number} {NASTY}", f"a cat {number}") for number in range(20)]
    for place, name in enumerate("ab"):
        lines = [{"image": row[0], "caption": row[1 + place], "references": [row[1]]} for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = compare(folder / "a.jsonl", folder / "b.jsonl", metric_names=["wer", "cider_d", "distinct"])
    return write_comparison(folder / "compared.html", found)


@every_size
@every_report
def test_nothing_is_wrong_and_nothing_leaves_the_file(browser, path, size):
    with browser.visit(path, size) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        visit.page.wait_for_load_state("networkidle")
        assert visit.console == []
        assert [each for each in visit.requests if not each.startswith("data:")] == [path.as_uri()]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert visit.page.evaluate("document.scripts.length") == 0


@every_size
@every_report
def test_axe_finds_nothing(browser, path, size):
    with browser.visit(path, size, strict=False) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        quick = {"resultTypes": ["violations"]}
        light = Axe().run(visit.page, options=quick).response
        visit.page.emulate_media(color_scheme="dark")
        # Nothing but colours changes.
        dark = Axe().run(visit.page, options={**quick, "runOnly": ["color-contrast"]}).response
        assert len(light["passes"]) > 20
        assert [each["id"] for each in dark["passes"]] == ["color-contrast"]
        found = light["violations"] + dark["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_a_script_in_a_caption_is_words(browser, hostile):
    with browser.visit(hostile, DESKTOP) as visit:
        assert visit.page.title() == NASTY
        assert visit.page.inner_text("h1") == NASTY
        assert NASTY in visit.page.eval_on_selector_all("h4", "each => each.map(one => one.textContent)")
        assert NASTY in visit.page.eval_on_selector_all("img", "each => each.map(one => one.alt)")
        assert visit.console == []


@pytest.mark.parametrize("name", ["photographs", "creatures"])
def test_every_picture_is_shown_with_its_caption_as_its_text(browser, path):
    with browser.visit(path, PHONE) as visit:
        cards = visit.page.eval_on_selector_all(
            ".card", "each => each.map(one => [one.querySelector('img'), one.querySelector('h4').textContent])"
            ".map(([img, title]) => [img.complete && img.naturalWidth > 0, img.alt === title])",
        )  # fmt: skip
        assert len(cards) >= 9
        assert all(shown and named for shown, named in cards)


def test_the_keyboard_reaches_everything_from_the_skip_link_on(browser, photographs):
    with browser.visit(photographs, DESKTOP) as visit:
        reached = []
        for _ in range(200):
            visit.page.keyboard.press("Tab")
            reached.append(visit.page.evaluate("document.activeElement.textContent.trim()"))
            if visit.page.evaluate("document.activeElement.closest('#recipe summary') !== null"):
                break
        wanted = visit.page.eval_on_selector_all(
            "a, summary", "all => all.filter(one => one.checkVisibility()).map(one => one.textContent.trim())"
        )
        assert reached[0] == "Skip to the report"
        assert reached == wanted
        visit.page.keyboard.press("Enter")
        assert visit.page.is_visible("#recipe pre")
