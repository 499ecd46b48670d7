"""What a user names on the command line becomes a list of pictures: files, folders, globs, addresses, input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from leyenda.errors import LeyendaError
from leyenda.images.formats import picture_format
from leyenda.images.names import is_picture

STANDARD_INPUT = "-"

_TEXT_CONTROLS = b"\t\n\r"


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """One picture to caption.

    Args:
        name: what the user or the folder calls it; `-` for a picture on standard input.
        source: a path or an http(s) address, or the encoded bytes.
    """

    name: str
    source: str | bytes


@dataclass(frozen=True, slots=True)
class PictureInputs:
    """All pictures to caption.

    Args:
        pictures: in the order of the arguments; those of a folder or glob sorted by path.
        single: one picture was named by itself, so that its caption needs no name beside it.
    """

    pictures: tuple[NamedPicture, ...]
    single: bool


def collect_pictures(words: Sequence[str], standard_input: BinaryIO | None = None) -> PictureInputs:
    """Find the pictures; none of them is opened.

    Args:
        words: paths of files or folders (all pictures in and below them; hidden ones are left out), glob
            patterns (`**` goes through folders), http(s) addresses, or `-` for standard input, which holds
            one picture or a list of paths and addresses, one a line.
        standard_input: what `-` reads; None takes the process's own.

    Raises:
        LeyendaError: no picture in a folder, glob or list; or nothing that was named is there.

    >>> collect_pictures(["https://example.org/a.jpg"]).single
    True
    """
    if not words:
        raise LeyendaError("No picture is named.", "Name files, folders, addresses, or - for standard input.")
    if list(words).count(STANDARD_INPUT) > 1:
        raise LeyendaError("Standard input (-) is named twice.", "It can be read only once.")
    pictures: list[NamedPicture] = []
    single = len(words) == 1
    for word in words:
        if word == STANDARD_INPUT:
            data = (standard_input or sys.stdin.buffer).read()
            found = _in_standard_input(data)
            single = single and isinstance(found[0].source, bytes)
        elif _is_pattern(word) or os.path.isdir(word):
            found = [NamedPicture(path, path) for path in _paths_of(word)]
            single = False
        else:
            found = [NamedPicture(word, word)]
        pictures += found
    _check_that_some_exist(pictures)
    return PictureInputs(tuple(pictures), single)


def is_address(word: str) -> bool:
    """Whether a word is an http(s) address and not a path."""
    return word.lower().startswith(("http://", "https://"))


def _is_pattern(word: str) -> bool:
    """Whether a word is a glob; a file that has such characters in its name is meant itself."""
    return glob.has_magic(word) and not is_address(word) and not os.path.exists(word)


def _paths_of(word: str) -> list[str]:
    if os.path.isdir(word):
        found = _in_folder(word)
        where = f"The folder {word!r} holds no picture"
    else:
        found = sorted(path for path in glob.glob(word, recursive=True) if _is_picture_file(path))
        where = f"No picture matches {word!r}"
    if not found:
        raise LeyendaError(
            f"{where}.", "Check the name; pictures are known by their endings (.jpg, .png, …)."
        )
    return found


def _in_folder(folder: str) -> list[str]:
    found = []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(place, name) for name in files if not name.startswith(".")]
    return sorted(path.removeprefix("./") for path in found if _is_picture_file(path))


def _is_picture_file(path: str) -> bool:
    # A link whose target has gone counts: it is reported as a missing picture and not passed over.
    return is_picture(path) and not os.path.isdir(path)


def _refuse(error: OSError) -> None:
    raise LeyendaError(
        f"The folder {error.filename!r} cannot be read: {error.strerror}.", "Check its permissions."
    ) from error


def _in_standard_input(data: bytes) -> list[NamedPicture]:
    if not data.strip():
        raise LeyendaError(
            "Standard input is empty.", "Pipe a picture into it, or names of pictures, one a line."
        )
    if not _is_text(data) or picture_format(data) == "PPM":
        return [NamedPicture(STANDARD_INPUT, data)]
    lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).splitlines()
    return [NamedPicture(line, line) for line in (line.strip() for line in lines) if line]


def _is_text(data: bytes) -> bool:
    """Every encoded picture (but for plain PPM) has control characters soon; a list of names has none."""
    return not any(byte < 32 and byte not in _TEXT_CONTROLS for byte in data[:4096])


def _check_that_some_exist(pictures: Sequence[NamedPicture]) -> None:
    """Say at once that nothing is there, before a model is loaded for it."""
    if any(isinstance(one.source, bytes) or is_address(one.source) for one in pictures):
        return
    if any(os.path.lexists(one.name) for one in pictures):
        return
    others = " (nor is any of the others there)" if len(pictures) > 1 else ""
    fix = "Check the name and the folder."
    if "://" in pictures[0].name:
        fix = "Addresses must begin with http:// or https://; download the picture and name its file."
    raise LeyendaError(f"There is no file {pictures[0].name!r}{others}.", fix)
