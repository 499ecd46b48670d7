"""A file of JSON lines that is written as the work goes on, and gets its name when it is whole."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from leyenda.errors import LeyendaError, disk_error
from leyenda.jobs.output_file import check_output_file

_OTHER_FORMATS = (".csv", ".tsv", ".parquet", ".xlsx", ".html")


def json_line(record: Mapping[str, object]) -> str:
    """One line of JSON with letters as they are; a file name that is no UTF-8 keeps its odd bytes as escapes.

    >>> json_line({"caption": "un niño"})
    '{"caption": "un niño"}'
    """
    text = json.dumps(record, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


class LinesFile:
    """Writes `NAME.partial`, line by line, and renames it to `NAME` when the `with` block ends well.

    When the block is left by an error or Ctrl-C, or the process is killed, every line written so far stays in
    `NAME.partial`, and what was in `NAME` before is untouched.

    Args:
        path: the file to make.
        overwrite: replace `path`, or the partial file of an earlier run.

    Raises:
        LeyendaError: the file is there already, or lines of a stopped run are, or its ending says another format.
        DiskError: it cannot be written.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self.path = check_output_file(path)
        self.partial = self.path.with_name(self.path.name + ".partial")
        self.lines = 0
        self.whole = False
        self._file: BinaryIO | None = None
        if self.path.suffix.lower() in _OTHER_FORMATS:
            raise LeyendaError(
                f"What is written is JSON lines, not {self.path.suffix}.", "Name it NAME.jsonl."
            )
        if not overwrite:
            self._refuse_to_replace()

    def _refuse_to_replace(self) -> None:
        if self.path.exists():
            raise LeyendaError(
                f"{str(self.path)!r} exists already.", "Choose another name, or replace it with --overwrite."
            )
        if self.partial.exists():
            raise LeyendaError(
                f"{str(self.partial)!r} holds what a run that was stopped had done.",
                "Rename it to keep it, or replace it with --overwrite.",
            )

    def __enter__(self) -> LinesFile:
        try:
            self._file = open(self.partial, "wb", buffering=0)
        except OSError as error:
            raise disk_error(error, self.partial) from error
        return self

    def write(self, record: Mapping[str, object]) -> None:
        """Add one line; it is in the file when this returns.

        Raises:
            DiskError: the disk is full; the lines before are kept.
        """
        assert self._file is not None
        line = (json_line(record) + "\n").encode()
        end = self._file.tell()
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                self._file.truncate(end)  # half a line is no line
            raise disk_error(error, self.partial) from error
        self.lines += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._file is not None
        self._file.close()
        if kind is None:
            os.replace(self.partial, self.path)
            self.whole = True
        elif not self.lines:
            self.partial.unlink(missing_ok=True)
