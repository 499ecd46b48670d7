"""Whether a file can be written where the user wants it, asked before the work whose result goes there."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

from leyenda.errors import DiskError, LeyendaError, disk_error


def check_output_file(path: Path | str) -> Path:
    """See that a file of this name can be written; nothing is.

    Args:
        path: the file to make; `~` is the home folder.

    Returns:
        The path, with the home folder in place of `~`.

    Raises:
        LeyendaError: the path is a folder.
        DiskError: its folder is not there or may not be written to.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise LeyendaError(f"{str(path)!r} is a folder.", f"Name a file in it: {path / 'NAME'}")
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
