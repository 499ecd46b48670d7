"""The inputs as they were named: what an output must not be, and what a stopped run must not lose from sight."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from leyenda.errors import LeyendaError
from leyenda.images.formats import picture_format
from leyenda.images.names import is_picture
from leyenda.volume.inputs.name_list import STANDARD_INPUT
from leyenda.volume.item import is_address

INPUTS = "inputs"
"""What the settings of a run call what was named."""

FOLDER = "folder"
"""What they call the folder that the command was typed in."""

MAY_CHANGE = (INPUTS, FOLDER)
"""Settings that may be others when a run is gone on with."""

_FIRST_BYTES = 64


def refuse_own_input(output: Path, files: Iterable[str]) -> None:
    """See that captions are not written over a picture, or over what names the pictures.

    Args:
        output: the file of captions.
        files: that were named as inputs.

    Raises:
        LeyendaError: they would be.
    """
    fix = "Name another file: --output captions.jsonl"
    if is_picture(output.name) or _is_a_picture(output):
        raise LeyendaError(
            f"The output {str(output)!r} is a picture; captions cannot be written over it.", fix
        )
    place = os.path.realpath(output)
    for name in files:
        if os.path.realpath(name) == place:
            raise LeyendaError(f"The output {str(output)!r} is one of the inputs, and would be lost.", fix)


def _is_a_picture(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return picture_format(file.read(_FIRST_BYTES)) is not None


def settings_of_inputs(words: Sequence[str], lists: Sequence[str]) -> Mapping[str, Any]:
    """What a journal notes of what was named, so that the same can be told from something else later."""
    return {INPUTS: [_place(word) for word in (*words, *lists)], FOLDER: os.getcwd()}


def refuse_other_inputs(
    journal: Path, before: Mapping[str, Any], now: Mapping[str, Any], images: Iterable[str]
) -> None:
    """Stop where a stopped run has inputs that are not named now, or that have other names from here.

    The former would never be captioned, the latter a second time. More inputs than before are welcome, files that have
    gone since are missed by nobody, and the whole folder of the command may have been moved.

    Args:
        journal: of the stopped run.
        before: its settings.
        now: those of this one.
        images: names of inputs in it.

    Raises:
        LeyendaError: it is such a run.
    """
    if names_differ(before, now, images):
        raise LeyendaError(
            f"{str(journal)!r} was begun in {before[FOLDER]!r}, and its pictures are named from there.",
            f"Go on with it there: cd {shlex.quote(before[FOLDER])}. Or begin anew with --overwrite.",
        )
    if lost := forgotten_inputs(before, now):
        others = f" and {len(lost) - 1:,} more" if len(lost) > 1 else ""
        raise LeyendaError(
            f"{str(journal)!r} is of a run over other inputs: {_shown(lost[0])}{others} is not named now.",
            "Type that command again to go on with it, name its inputs here as well to do both, "
            "or begin anew with --overwrite.",
        )


def names_differ(before: Mapping[str, Any], now: Mapping[str, Any], images: Iterable[str]) -> bool:
    """Whether names in a stopped run are relative to another folder than the one that the command is typed in."""
    folder = before.get(FOLDER)
    if folder is None or folder == now.get(FOLDER) or not os.path.isdir(folder):
        return False
    return any(not (is_address(name) or name == STANDARD_INPUT or os.path.isabs(name)) for name in images)


def forgotten_inputs(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What was named in a stopped run, may still be there, and is not named now."""
    folder, here, named = before.get(FOLDER), now.get(FOLDER), set(now.get(INPUTS, ()))

    def is_named(place: str) -> bool:
        if place in named or folder is None or here is None or os.path.isdir(folder):
            return place in named
        return (
            os.path.normpath(os.path.join(here, os.path.relpath(place, folder))) in named
        )  # both were moved

    return [place for place in before.get(INPUTS, ()) if not is_named(place) and _may_be_there(place)]


def _place(word: str) -> str:
    """What a word names, wherever it is typed and however it is spelled."""
    return word if word == STANDARD_INPUT or is_address(word) else os.path.realpath(word)


def _may_be_there(place: str) -> bool:
    """Whether a name may still lead to pictures; that a file has gone is certain, and of all else nobody knows."""
    return not is_picture(place) or os.path.lexists(place)


def _shown(place: str) -> str:
    here = os.path.join(os.getcwd(), "")
    return "standard input" if place == STANDARD_INPUT else repr(place.removeprefix(here))
