"""A file of captions, one a picture: written by `leyenda evaluate` and `caption`, or results in COCO's format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leyenda.data.formats.json_lines import open_json_lines
from leyenda.errors import ScoreError, disk_error, near
from leyenda.records import EvaluationResult, Prediction, Skipped

ID_NAMES = ("image", "image_id")
"""Where a line says which picture it is about: in our own files, in COCO results."""


@dataclass(frozen=True)
class Predictions:
    """What a file says about each picture.

    Args:
        path: the file.
        captions: picture -> its prediction, in the file's order.
        skipped: picture -> why it has no caption.
    """

    path: Path
    captions: Mapping[str, Prediction]
    skipped: Mapping[str, Skipped]


def read_predictions(path: Path | str) -> Predictions:
    """Read captions.

    Args:
        path: JSON lines of `{"image": ..., "caption": ...}`, with `confidence` and `references` where they are known,
            or `{"image": ..., "error": ...}`; a JSON list of COCO results, `{"image_id": ..., "caption": ...}`; or a
            training run's folder, which holds `predictions.jsonl`.

    Raises:
        ScoreError: it is not there, holds no captions, or names a picture twice; an entry lacks what it needs.
        DataError: it cannot be read, or is not JSON (with its line).
    """
    file = _file(Path(path).expanduser())
    captions: dict[str, Prediction] = {}
    skipped: dict[str, Skipped] = {}
    lines: dict[str, int] = {}
    for line, row in open_json_lines(file).rows:
        origin = place(file, line)
        name = picture_name(row, origin)
        if name in lines:
            raise ScoreError(
                f"{origin}: {name!r} stands there twice (first: {place(file, lines[name])}).",
                "Keep one caption a picture.",
            )
        lines[name] = line
        if "error" in row and "caption" not in row:
            skipped[name] = _reason(row["error"])
        else:
            captions[name] = _prediction(name, row, origin)
    if not captions:
        raise ScoreError(f"{file} holds no captions, only errors.", "Caption the pictures again.")
    return Predictions(file, captions, skipped)


def write_predictions(path: Path, result: EvaluationResult) -> None:
    """One JSON line per picture: image, caption, confidence, references; or image and error.

    The file appears whole.

    Raises:
        DiskError: it cannot be written.
    """
    rows: list[dict[str, Any]] = [
        {
            "image": prediction.id,
            "caption": prediction.caption,
            "confidence": prediction.confidence,
            "references": list(prediction.references),
        }
        for prediction in result.predictions
    ]
    rows += [
        {"image": image_id, "error": {"code": skipped.code, "message": skipped.message}}
        for image_id, skipped in result.skipped.items()
    ]
    draft = path.with_name(f".unfinished-{path.name}")
    try:
        draft.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )
        draft.replace(path)
    except OSError as error:
        raise disk_error(error, path) from error


def place(file: Path, number: int) -> str:
    """Where an entry stands, for messages: a line of a file of lines, an entry of a list.

    >>> place(Path("a.jsonl"), 3), place(Path("a.json"), 3)
    ('a.jsonl:3', 'a.json, entry 3')
    """
    return f"{file}, entry {number}" if file.suffix.lower() == ".json" else f"{file}:{number}"


def picture_name(row: Mapping[str, Any], origin: str) -> str:
    """Which picture an entry is about.

    Raises:
        ScoreError: it does not say so.
    """
    name = next((row[key] for key in ID_NAMES if key in row), None)
    if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        has = ", ".join(map(repr, row)) or "nothing"
        cause = (
            f"{origin} names no picture: it has {has}."
            if name is None
            else f"{origin}: the picture is {name!r}."
        )
        raise ScoreError(cause, 'Each entry must be like {"image": "a.jpg", "caption": "..."}.')
    return str(name)


def texts(value: Any, what: str, origin: str) -> tuple[str, ...]:
    """A list of captions, without those that are empty.

    Raises:
        ScoreError: it is no list, or one of them is no text.
    """
    if not isinstance(value, list):
        raise ScoreError(f"{origin}: {what} are {_shown(value)}.", "Write a list of captions.")
    for text in value:
        if not isinstance(text, str):
            raise ScoreError(f"{origin}: one of {what} is {_shown(text)}.", "Write captions as text.")
    return tuple(text for text in value if text.strip())


def _file(path: Path) -> Path:
    if path.is_dir():
        inside = path / "predictions.jsonl"
        if not inside.is_file():
            raise ScoreError(
                f"The folder {str(path)!r} holds no predictions.jsonl.",
                "Write one with: leyenda evaluate MODEL SOURCE --predictions FILE.jsonl",
            )
        return inside
    if not path.is_file():
        there = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ScoreError(
            f"There is no file {str(path)!r}.", near(path.name, there) or "Check the name and the folder."
        )
    return path


def _prediction(name: str, row: Mapping[str, Any], origin: str) -> Prediction:
    caption, confidence = row.get("caption"), row.get("confidence")
    if "caption" not in row:
        raise ScoreError(
            f"{origin}: {name!r} has no 'caption'.", near("caption", row) or 'Write "caption": "...".'
        )
    if not isinstance(caption, str):
        raise ScoreError(
            f"{origin}: the caption of {name!r} is {_shown(caption)}.",
            'Write captions as text; an empty one is "".',
        )
    if confidence is not None and (isinstance(confidence, bool) or not isinstance(confidence, int | float)):
        raise ScoreError(f"{origin}: the confidence is {_shown(confidence)}.", "Write a number from 0 to 1.")
    references = texts(row["references"], "the references", origin) if "references" in row else ()
    return Prediction(name, caption, confidence, references)


def _reason(error: Any) -> Skipped:
    if isinstance(error, Mapping):
        return Skipped(str(error.get("code", "error")), str(error.get("message", "")))
    return Skipped("error", str(error))


def _shown(value: Any) -> str:
    return f"not text but {json.dumps(value, ensure_ascii=False)[:40]}"
