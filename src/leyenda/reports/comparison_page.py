"""Two sets of captions of the same pictures as one page: which is better, by how much, and where they differ most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.errors import ImageError
from leyenda.reports import differences, metric_display
from leyenda.reports.page_file import write_page
from leyenda.reports.templates import render
from leyenda.reports.texts import Wording, wording
from leyenda.reports.thumbnails import Thumbnail, thumbnail

if TYPE_CHECKING:
    # What is shown is made a layer above; nothing of it is needed to run.
    from leyenda.jobs.compare import Apart, Comparison


@dataclass(frozen=True, slots=True)
class Side:
    """One caption of a picture: whose, its words, and how it differs from the nearest human caption."""

    name: str
    caption: str
    comparison: differences.Comparison | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture with both captions.

    Args:
        apart: its name, references and by how much it differs.
        sides: of A and of B.
        thumbnail: the picture, or None where it cannot be shown.
        reason: why it cannot, in words; empty when nothing says where it lies.
    """

    apart: Apart
    sides: tuple[Side, Side]
    thumbnail: Thumbnail | None
    reason: str


def write_comparison(path: str | Path, found: Comparison, *, language: str = "en") -> Path:
    """Write the page as one file, whole or not at all.

    Args:
        path: the file to write; its folder is made when it is missing.
        found: of `leyenda.jobs.compare.compare`.
        language: `en` or `es`.

    Raises:
        DiskError: the file cannot be written.
        LeyendaError: there is no report in that language.
    """
    return write_page(path, render_comparison(found, language=language))


def render_comparison(found: Comparison, *, language: str = "en") -> str:
    """The page as text; the arguments are those of `write_comparison`."""
    say = wording(language)
    return render(
        "comparison.html",
        say,
        say("compare_title"),
        found=found,
        verdict=_verdict(found, say),
        shelves=[
            (say("compare_b_better"), [_pair(each) for each in found.b_better]),
            (say("compare_a_better"), [_pair(each) for each in found.a_better]),
        ],
    )


def _verdict(found: Comparison, say: Wording) -> str:
    """As `leyenda.jobs.compare.verdict`, in the page's language and with the scores' names for people."""
    pictures = say.counted("n_pictures", found.images)
    judged = [each for each in found.scores if each.difference is not None]
    names = {
        side: ", ".join(metric_display.title(each.metric.name, say) for each in judged if each.better == side)
        for side in ("b", "a", "")
    }
    if not judged:
        return say("compare_none")
    if not names["a"] and not names["b"]:
        return say("compare_equal", images=pictures)
    parts = [
        say("compare_better", side=side.upper(), names=names[side]) for side in ("b", "a") if names[side]
    ]
    if names[""]:
        parts.append(say("compare_open", names=names[""], images=pictures))
    return " ".join(parts)


def _pair(apart: Apart) -> Pair:
    sides = (
        Side("A", apart.a, differences.compare(apart.a, apart.references)),
        Side("B", apart.b, differences.compare(apart.b, apart.references)),
    )
    if apart.image is None or not apart.image.path:
        return Pair(apart, sides, None, "")
    try:
        return Pair(apart, sides, thumbnail(apart.image), "")
    except ImageError as error:
        return Pair(apart, sides, None, str(error))
