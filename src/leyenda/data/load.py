"""Any source becomes the same Examples."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from leyenda.data.examples import Examples
from leyenda.data.formats import FORMATS, Format, ReadOptions
from leyenda.errors import DataError, near

_NAMES_COMPARED = 10_000
"""Files beside a path that is not there, of which one may have been meant."""


def load_examples(
    source: str | Path | Examples,
    *,
    format: str | None = None,  # noqa: A002 - the word users type
    image_column: str | None = None,
    caption_column: str | None = None,
    revision: str | None = None,
    streaming: bool = False,
    token: str | None = None,
    image_root: str | Path | None = None,
) -> Examples:
    """Read a data set: one `Example` an image, with all its captions. Pictures are not opened.

    Args:
        source: a file, a folder, a pattern of tar shards (`shard-{000..010}.tar`) or a Hub id (`owner/name`);
            Examples are returned as they are.
        format: one of `leyenda.data.FORMATS`; None finds out.
        image_column: column of the picture; None looks for a usual name.
        caption_column: column of the caption; None looks for a usual name.
        revision: branch, tag or commit of a data set on the Hub.
        streaming: read a data set on the Hub without storing a second copy of it.
        token: access token for the Hub; None takes the one that is logged in.
        image_root: folder of the pictures, where it is not found beside the source.

    Raises:
        DataError: the source is absent, of no known format, malformed, or names two pictures alike.
        HubError: the Hub does not answer or refuses.
        MissingExtra: the source is on the Hub and the extra `datasets` is not installed.
    """
    if isinstance(source, Examples):
        return source
    options = ReadOptions(
        image_column, caption_column, Path(image_root) if image_root else None, revision, streaming, token
    )
    text = str(source)
    try:
        _refuse_closed(text)
        chosen = named_format(format) if format else _detected(text)
        _refuse_unused(chosen, options)
        examples = chosen.read(text, options)
    except OSError as error:
        fix = "Check its permissions." if isinstance(error, PermissionError) else ""
        raise DataError(
            f"{str(error.filename or text)[:200]} cannot be read: {error.strerror}.", fix
        ) from error
    if not len(examples):
        raise DataError(f"{text} holds no pictures (read as {chosen.name}).")
    return examples


def named_format(name: str) -> Format:
    """The format of this name.

    Raises:
        DataError: there is none.
    """
    if name not in FORMATS:
        raise DataError(
            f"There is no data format {name!r}.",
            near(name, FORMATS) or f"The formats are: {', '.join(FORMATS)}.",
        )
    return FORMATS[name]


def _refuse_unused(chosen: Format, options: ReadOptions) -> None:
    for name in ("image_column", "caption_column", "image_root", "revision", "streaming"):
        if getattr(options, name) and name not in chosen.uses:
            option = "--" + name.replace("_", "-")
            raise DataError(f"{option} means nothing for the format {chosen.name!r}.", f"Leave {option} out.")


def _refuse_closed(source: str) -> None:
    """Say that the folder itself may not be opened, before a file in it that may not even be there is named."""
    if not os.path.isdir(source):
        if os.path.exists(source) and not os.path.isfile(source):
            raise DataError(f"{source!r} is neither a file nor a folder.", "Save what it gives as a file.")
        return
    try:
        with os.scandir(source):
            os.stat(os.path.join(source, "."))
    except PermissionError as error:
        raise DataError(f"The folder {source!r} may not be opened.", "Check its permissions.") from error


_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
"""Endings of files that are compressed one by one, which of all formats only tar shards may be."""


def _detected(source: str) -> Format:
    path = Path(source)
    if not path.exists():
        return _claimed(source)
    for format_ in FORMATS.values():
        if format_.detect(path):
            return format_
    if path.is_file() and path.suffix.lower() in _COMPRESSED:
        raise DataError(f"{source} is compressed.", f"Unpack it first, and name what was in it: {path.stem}")
    looked_for = "; ".join(format_.looks_for for format_ in FORMATS.values())
    raise DataError(f"{source} is no data set that leyenda knows: {_found(path)}. Looked for: {looked_for}.")


def _claimed(source: str) -> Format:
    for format_ in FORMATS.values():
        if format_.claims(source):
            return format_
    raise DataError(f"There is no file or folder {source!r}.", _nearby(source))


def _nearby(source: str) -> str:
    """What the path may have meant."""
    folder, name = os.path.split(source.rstrip("/"))
    try:
        there = [other for other in os.listdir(folder or ".") if not other.startswith(".")]
    except OSError:
        there = []
    hint = near(name, there[:_NAMES_COMPARED], prefix=os.path.join(folder, ""))
    return hint or "Check the name and the folder."


def _found(path: Path) -> str:
    if path.is_file():
        return f"a file ending in {path.suffix or 'nothing'}"
    names = Counter(child.suffix.lower() if child.is_file() else "folders" for child in path.iterdir())
    listed = ", ".join(f"{count} {name or 'without ending'}" for name, count in names.most_common(6))
    return f"found {listed}" if listed else "the folder is empty"
