"""Where the official jars of METEOR and SPICE lie: in the package `pycocoevalcap`, of which nothing else is used."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from leyenda.errors import JudgeError, MissingExtra


def coco_folder(purpose: str, part: str, files: tuple[str, ...]) -> Path:
    """The folder of one part of `pycocoevalcap`.

    Args:
        purpose: what needs it, for messages.
        part: `meteor` or `spice`.
        files: what must lie in it.

    Raises:
        MissingExtra: the package is not installed.
        JudgeError: it is installed without these files.
    """
    try:
        package = distribution("pycocoevalcap")
    except PackageNotFoundError as error:
        raise MissingExtra(purpose, "java") from error
    folder = Path(str(package.locate_file(f"pycocoevalcap/{part}"))).resolve()
    absent = [name for name in files if not (folder / name).is_file()]
    if absent:
        raise JudgeError(
            f"{purpose} needs {absent[0]!r}, which is not in {str(folder)!r}.",
            "Install it again: pip install --force-reinstall --no-deps pycocoevalcap",
        )
    return folder
