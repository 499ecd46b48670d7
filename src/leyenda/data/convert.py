"""Examples written in another format, whole or not at all."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from leyenda.data.cache import cache_in
from leyenda.data.examples import Examples
from leyenda.data.formats import FORMATS
from leyenda.data.load import load_examples, named_format
from leyenda.data.pictures import PictureCopier
from leyenda.data.progress import steps
from leyenda.errors import DataError, disk_error, near

COPIES = ("copy", "link")


@dataclass(frozen=True, slots=True)
class Converted:
    """What `convert` wrote.

    Args:
        output: the folder.
        format: its format.
        images: pictures in it.
        captions: captions in it.
        splits: split -> pictures.
    """

    output: Path
    format: str
    images: int
    captions: int
    splits: dict[str, int] = field(default_factory=dict)


def convert(examples: Examples, output: str | Path, format: str, *, copy: str = "copy") -> Converted:  # noqa: A002
    """Write examples as a folder of another format; ids, captions, splits and the pictures' bytes stay as they are.

    The folder is read again before it gets its name, so that nothing that the format cannot say is lost in silence.

    Args:
        examples: what to write.
        output: folder that does not exist yet or is empty.
        format: a format of `leyenda.data.FORMATS` that can be written.
        copy: `copy` the pictures, or `link` them (hard links) where they are files of their own on the same disk.

    Raises:
        DataError: the output exists, a picture cannot be read, or the format cannot hold an example as it is.
        DiskError: the output cannot be written.
    """
    chosen = named_format(format)
    if chosen.write is None:
        writable = ", ".join(name for name, each in FORMATS.items() if each.write)
        raise DataError(f"The format {format!r} is read only.", f"Choose one of: {writable}.")
    if copy not in COPIES:
        raise DataError(f"Pictures can be {' or '.join(COPIES)}, not {copy!r}.", near(copy, COPIES))
    target = Path(output).absolute()
    _refuse_existing(target)
    making = target.parent / f".{target.name}.{os.getpid()}.partial"
    try:
        making.mkdir(parents=True)
        with steps("Writing pictures", len(examples)) as step:
            chosen.write(examples, making, PictureCopier(making, link=copy == "link", step=step))
        with cache_in(making.with_suffix(".check")):
            _refuse_changed(examples, _read_again(making, format), format)
        os.replace(making, target)
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return Converted(target, format, len(examples), len(examples.captions()), examples.splits())


def _refuse_existing(target: Path) -> None:
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise DataError(f"{target} exists already.", "Name a new folder, or remove it first.")


def _read_again(folder: Path, format: str) -> Examples:  # noqa: A002
    try:
        return load_examples(folder, format=format)
    except DataError as error:
        said = error.cause.replace(str(folder), "the folder")
        raise DataError(
            f"The format {format!r} cannot say what is to be written; read again, {said}",
            "Write another format, such as jsonl.",
        ) from error


def _refuse_changed(examples: Examples, written: Examples, format: str) -> None:  # noqa: A002
    """Compare what was meant with what a reader finds, whatever the order.

    Raises:
        DataError: an example has changed or is gone.
    """
    position = {name: index for index, name in enumerate(written.ids())}
    for example in examples:
        index = position.get(example.id)
        if index is None or written[index] != example:
            what = "its name" if index is None else "its captions or its split"
            raise DataError(
                f"The format {format!r} cannot say {what} of the picture {example.id!r} ({example.origin}).",
                "Write another format, such as jsonl.",
            )
    if len(written) != len(examples):
        raise DataError(
            f"The format {format!r} would give {len(written)} pictures in place of {len(examples)}."
        )
