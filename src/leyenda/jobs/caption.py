"""Caption the pictures that a user names, and keep count of what could not be captioned."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from leyenda.jobs.lines_file import LinesFile, json_line
from leyenda.jobs.picture_inputs import collect_pictures
from leyenda.records import Caption, Skipped

if TYPE_CHECKING:
    from leyenda.inference import Captioner

LISTED = 20
"""Failures listed on the terminal when all of them stand in the JSON lines."""


class CaptionRun:
    """Pictures being captioned: iterate to get each one's name and its `Caption` or `Skipped`, in order.

    Making one finds the pictures, checks everything that was asked for and loads the model; no picture is opened
    before the iteration. With `output`, each result is a line of that file before it is given.

    Args:
        words: what names the pictures, as for `leyenda.jobs.picture_inputs.collect_pictures`.
        output: file for JSON lines; it gets its name when all is done, and is `NAME.partial` until then.
        overwrite: replace `output`.
        standard_input: what `-` reads; None takes the process's own.
        options: as for `leyenda.Captioner.from_pretrained`.

    Raises:
        LeyendaError: nothing to caption, a setting that makes no sense, an output that is there already.
        ModelError: the model cannot be found, fetched or read.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        output: Path | str | None = None,
        overwrite: bool = False,
        standard_input: BinaryIO | None = None,
        **options: Any,
    ) -> None:
        self._file = LinesFile(output, overwrite=overwrite) if output is not None else None
        inputs = collect_pictures(words, standard_input)
        self.pictures = inputs.pictures
        self.single = inputs.single
        self.captions = 0
        self.skipped: list[tuple[str, Skipped]] = []
        self._captioner = _load(options)

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[tuple[str, Caption | Skipped]]:
        with self._file or contextlib.nullcontext() as file:
            results = self._captioner.stream(picture.source for picture in self.pictures)
            for picture, (_, result) in zip(self.pictures, results, strict=True):
                if file is not None:
                    file.write(record(picture.name, result))
                if isinstance(result, Skipped):
                    self.skipped.append((picture.name, result))
                else:
                    self.captions += 1
                yield picture.name, result

    def summary(self, *, all_failures: bool = True) -> str:
        """What to tell a person at the end, or when the run was stopped: failures, and where the lines are.

        Args:
            all_failures: list every failure; False lists the first `LISTED`.
        """
        lines = []
        if self.skipped:
            lines.append(f"No caption for {len(self.skipped)} of {_pictures(len(self))}:")
            shown = self.skipped if all_failures else self.skipped[:LISTED]
            lines += [f"  {_reason(name, skipped)}" for name, skipped in shown]
            if len(shown) < len(self.skipped):
                lines.append(f'  … and {len(self.skipped) - len(shown)} more: look for "error" in the lines.')
        if self._file is not None and self._file.whole:
            lines.append(f"Wrote {self._file.path} ({_pictures(len(self))}, {self.captions} captioned).")
        elif self._file is not None and self._file.lines:
            lines.append(f"Kept in {self._file.partial}: {self._file.lines} of {_pictures(len(self))}.")
        return "\n".join(lines)


def record(name: str, result: Caption | Skipped) -> dict[str, object]:
    """What one picture got, as it stands in JSON lines.

    >>> record("a.jpg", Caption("a dog", 0.5))
    {'image': 'a.jpg', 'caption': 'a dog', 'confidence': 0.5}
    """
    if isinstance(result, Skipped):
        return {"image": name, "error": {"code": result.code, "message": result.message}}
    return {"image": name, "caption": result.text, "confidence": round(result.confidence, 6)}


def as_json(name: str, result: Caption | Skipped) -> str:
    """One JSON line, without its end."""
    return json_line(record(name, result))


def as_text(name: str, result: Caption, *, with_name: bool) -> str:
    r"""One line for people and for `cut`: the caption, after the picture's name and a tab if that is wanted.

    >>> as_text("a.jpg", Caption("a dog", 0.5), with_name=True)
    'a.jpg\ta dog'
    """
    caption = " ".join(result.text.split())
    line = f"{name}\t{caption}" if with_name else caption
    return line.encode("utf-8", "backslashreplace").decode()


def _load(options: dict[str, Any]) -> Captioner:
    from leyenda.inference import Captioner

    return Captioner.from_pretrained(options.pop("model"), **options)


def _reason(name: str, skipped: Skipped) -> str:
    text = skipped.message if name in skipped.message else f"{name}: {skipped.message}"
    return text.encode("utf-8", "backslashreplace").decode()


def _pictures(number: int) -> str:
    return "1 picture" if number == 1 else f"{number} pictures"
