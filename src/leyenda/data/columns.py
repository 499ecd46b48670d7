"""Which columns of a table hold the picture, its captions and its split, and what a caption cell says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leyenda.data.split_names import split_name
from leyenda.errors import DataError, near
from leyenda.records import Origin

IMAGE_COLUMNS = (
    "image",
    "file_name",
    "filename",
    "filepath",
    "file_path",
    "file",
    "path",
    "image_path",
    "image_file",
    "image_name",
    "img",
    "img_path",
    "url",
    "image_url",
)
CAPTION_COLUMNS = (
    "caption",
    "captions",
    "text",
    "texts",
    "sentence",
    "sentences",
    "raw",
    "description",
    "descriptions",
    "alt",
    "alt_text",
    "txt",
)
SELDOM_CAPTION_COLUMNS = ("comment", "comments", "caption_text")
"""Columns of captions where there is none of the usual name; beside one they are something else."""

SPLIT_COLUMN = "split"

_NUMBERED = re.compile(r"^(.+?)[ _-]?\d+$")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that matter: the picture's, one or more of captions, and the split's when there is one."""

    image: str
    captions: tuple[str, ...]
    split: str | None = None

    def captions_in(self, row: Mapping[str, Any], origin: Origin) -> list[str]:
        """The captions of one row.

        Raises:
            DataError: a cell holds something other than text.
        """
        if len(self.captions) == 1:
            return captions_in_cell(row.get(self.captions[0]), origin)
        cells = [captions_in_cell(row.get(name), origin) for name in self.captions]
        # A numbered column that is empty is a caption that nobody wrote; all of them empty is a row to complain about.
        return [caption for cell in cells for caption in cell if caption.strip()] or [""]


def find_columns(
    names: Sequence[str],
    source: str,
    image: str | None,
    caption: str | None,
    *,
    convention: str | None = None,
) -> Columns:
    """Choose columns by name.

    Args:
        names: the columns there are.
        source: the file, for messages.
        image: column that the user names.
        caption: column that the user names; `caption` also stands for `caption_0`, `caption_1`, ...
        convention: image column that the format prescribes, taken when it is there and the user names none.

    Raises:
        DataError: a column is absent, or several could be meant.
    """
    if image is None and convention in names:
        image = convention
    picture = find_image_column(names, source, image)
    captions = _chosen(caption, names, source, "caption") or _found(
        names, _known_captions(names), source, "caption"
    )
    split = next((name for name in names if name.strip().lower() == SPLIT_COLUMN), None)
    return Columns(picture, tuple(captions), split)


def find_image_column(names: Sequence[str], source: str, image: str | None) -> str:
    """Choose the picture's column by name; arguments as for `find_columns`.

    Raises:
        DataError: it is absent, or several could be meant.
    """
    picture = _chosen(image, names, source, "image") or _found(names, IMAGE_COLUMNS, source, "image")
    if len(picture) > 1:
        raise _ambiguous(source, picture, names, "image")
    return picture[0]


def _chosen(wanted: str | None, names: Sequence[str], source: str, what: str) -> list[str]:
    if wanted is None:
        return []
    if wanted in names:
        return [wanted]
    numbered = [name for name in names if _base(name) == wanted]
    if numbered and what == "caption":
        return numbered
    hint = near(wanted, names) or f"The columns are: {', '.join(names)}."
    raise DataError(f"{source} has no column {wanted!r}.", hint)


def _found(names: Sequence[str], known: Sequence[str], source: str, what: str) -> list[str]:
    by_base: dict[str, list[str]] = {}
    for name in names:
        if _usual(name) in known:
            by_base.setdefault(_usual(name), []).append(name)
    if len(by_base) == 1:
        return next(iter(by_base.values()))
    if by_base:
        raise _ambiguous(source, [column for columns in by_base.values() for column in columns], names, what)
    raise DataError(
        f"{source} has no column that looks like the {what}: its columns are {_listed(names)}.",
        f"Name it with --{what}-column NAME.",
    )


def _known_captions(names: Sequence[str]) -> Sequence[str]:
    return (
        CAPTION_COLUMNS if any(_usual(name) in CAPTION_COLUMNS for name in names) else SELDOM_CAPTION_COLUMNS
    )


def _usual(name: str) -> str:
    """The name as tables usually write it: without a number, in small letters, joined by underscores."""
    return _base(name).lower().replace(" ", "_").replace("-", "_")


def _base(name: str) -> str:
    numbered = _NUMBERED.match(name.strip())
    return numbered.group(1) if numbered else name.strip()


def _ambiguous(source: str, found: Sequence[str], names: Sequence[str], what: str) -> DataError:
    return DataError(
        f"{source} has several columns that could be the {what} ({_listed(found)}) among {_listed(names)}.",
        f"Name one with --{what}-column NAME.",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def captions_in_cell(cell: Any, origin: Origin) -> list[str]:
    """The captions that one cell holds: text, a list of texts, or a JSON list written as text.

    Args:
        cell: the value; None is an empty caption.
        origin: where it stands, for messages.

    Raises:
        DataError: something other than text.

    >>> captions_in_cell('["a dog", "a brown dog"]', Origin())
    ['a dog', 'a brown dog']
    """
    if cell is None:
        return [""]
    if isinstance(cell, str):
        return _captions_in_text(cell, origin)
    if isinstance(cell, list):
        return [_caption(item, origin) for item in cell]
    return [_caption(cell, origin)]


def split_in_cell(cell: Any, origin: Origin) -> str | None:
    """The split that a cell names, in the usual word for it; None where it names none.

    Args:
        cell: the value; None and an empty text name no split.
        origin: where it stands, for messages.

    Raises:
        DataError: something other than text.

    >>> split_in_cell("val", Origin())
    'validation'
    """
    if cell is not None and not isinstance(cell, str):
        raise DataError(
            f"{origin}: the split is not text but {str(cell)[:40]!r}.", "Write train, validation or test."
        )
    return split_name(cell)


def _captions_in_text(text: str, origin: Origin) -> list[str]:
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")):
        return [text]
    try:
        cell = json.loads(stripped)
    except (ValueError, RecursionError):
        if stripped.startswith("['"):
            raise DataError(
                f"{origin}: the captions are a Python list, not a JSON list: {stripped[:40]!r}.",
                'Write them as ["...", "..."] (json.dumps).',
            ) from None
        return [text]
    # `[1]` and `[]` outside a table of lists are odd, but only a list of texts is surely meant as one.
    return cell if all(isinstance(item, str) for item in cell) else [text]


def _caption(item: Any, origin: Origin) -> str:
    if item is None:
        return ""
    text = item.get("raw", item.get("caption", item.get("text"))) if isinstance(item, Mapping) else item
    if not isinstance(text, str):
        raise DataError(f"{origin}: a caption is not text but {str(item)[:40]!r}.", "Write captions as text.")
    return text
