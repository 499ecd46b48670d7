"""Whether a file can be written where the user wants it, asked before the work whose result goes there."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from leyenda.errors import DiskError, LeyendaError, disk_error

REPORTS = (".html", ".htm", ".md")
"""Endings of reports: pages, and Markdown."""


def check_output_file(path: Path | str, endings: Sequence[str] = ()) -> Path:
    """See that a file of this name can be written; nothing is.

    Args:
        path: the file to make; `~` is the home folder.
        endings: those that what is written can have; empty for any.

    Returns:
        The path, with the home folder in place of `~`.

    Raises:
        LeyendaError: the path is a folder, or has another ending.
        DiskError: its folder is not there or may not be written to.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise LeyendaError(f"{str(path)!r} is a folder.", f"Name a file in it: {path / 'NAME'}")
    if endings and path.suffix.lower() not in endings:
        raise LeyendaError(
            f"{str(path)!r} would not be what its ending says.", f"Endings are: {', '.join(endings)}."
        )
    if not path.parent.is_dir():
        fix = f"Make it with: mkdir -p {shlex.quote(str(path.parent))}"
        raise DiskError(f"There is no folder {str(path.parent)!r}.", fix)
    try:
        # Permission bits do not tell everything: a disk may be read-only, an administrator may write anyway.
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        reason = disk_error(error, path)
        raise DiskError(reason.cause, reason.fix or "Name a file in another folder.") from error
