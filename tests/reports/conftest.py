"""A small evaluation with real scores and drawn pictures, and a strict reader of the pages made from it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from PIL import Image

from leyenda.jobs.score import scored_predictions
from leyenda.records import EvaluationResult, ImageSource, Prediction, Resampling, Skipped

VOID = {"meta", "link", "img", "br", "hr", "input", "col", "base", "source"}

Evaluate = Callable[..., EvaluationResult]


class Outline(HTMLParser):
    """Reads a page as a browser would, and fails on tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.texts.append(("/".join(self.open), data))

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]

    def raw(self, inside: str) -> str:
        """Everything that stands in elements of that name, as it is."""
        return "".join(data for path, data in self.texts if inside in path.split("/"))

    def text(self, inside: str = "body") -> str:
        """The same with a space between elements and white space collapsed."""
        return " ".join(" ".join(data for path, data in self.texts if inside in path.split("/")).split())


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Outline]:
    return Outline


@pytest.fixture(scope="session")
def evaluate(tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """Build an evaluation from captions and references, with pictures on disk and the real scores."""

    def build(
        captions: list[str],
        references: list[tuple[str, ...]] | None = None,
        *,
        ids: list[str] | None = None,
        model: str = "runs/dogs",
        skipped: dict[str, Skipped] | None = None,
    ) -> EvaluationResult:
        wanted = references or [(f"a dog number {place} runs",) for place in range(len(captions))]
        names = ids or [f"{place}.png" for place in range(len(captions))]
        folder = tmp_path_factory.mktemp("pictures")
        predictions = []
        for place, (name, caption, people) in enumerate(zip(names, captions, wanted, strict=True)):
            path = folder / f"picture{place}.png"
            Image.new("RGB", (400, 300), (place * 7 % 256, 90, 120)).save(path)
            predictions.append(
                Prediction(name, caption, 0.5 + place % 5 / 10, people, ImageSource(str(path)))
            )
        return scored_predictions(model, predictions, skipped=skipped or {}, resampling=Resampling(50))

    return build


@pytest.fixture(scope="session")
def result(evaluate: Evaluate) -> EvaluationResult:
    """Forty pictures; every third caption has one wrong word, every tenth is nonsense."""
    captions = [
        "zebras zoom" if place % 10 == 9 else f"a {'cat' if place % 3 == 0 else 'dog'} number {place} runs"
        for place in range(40)
    ]
    return evaluate(captions, skipped={"gone.jpg": Skipped("missing", "There is no file 'gone.jpg'.")})


@pytest.fixture(scope="session")
def history() -> list[dict[str, float]]:
    """A run of 20 log entries and 4 evaluations."""
    rows: list[dict[str, float]] = [
        {"step": step, "epoch": step / 10, "loss": 3 / step**0.5, "learning_rate": 5e-5 * (1 - step / 210)}
        for step in range(10, 210, 10)
    ]
    return rows + [
        {"step": step, "eval_loss": 4 / step**0.5, "eval_wer": 1 - step / 250, "eval_runtime": 2.0}
        for step in range(50, 250, 50)
    ]
