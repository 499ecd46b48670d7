"""A finished page becomes a file, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from leyenda.errors import DiskError


def write_page(path: str | Path, page: str) -> Path:
    """Write a page; its folder is made when it is missing.

    Raises:
        DiskError: the file cannot be written.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(page, encoding="utf-8")
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(
            f"The report {str(target)!r} cannot be written: {reason}.", "Choose another file."
        ) from error
    return target
