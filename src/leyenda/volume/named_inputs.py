"""The inputs as they were named: what an output must not be, and what a stopped run must not lose from sight."""

from __future__ import annotations

import os
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
    return {INPUTS: [_place(word) for word in (*words, *lists)]}


def refuse_forgotten_inputs(journal: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Stop where a stopped run has inputs that are not named now: they would never be captioned.

    More inputs than before are welcome, and files that have gone since are missed by nobody.

    Args:
        journal: of the stopped run.
        before: its settings.
        now: those of this one.

    Raises:
        LeyendaError: there are such inputs.
    """
    named = set(now.get(INPUTS, ()))
    lost = [place for place in before.get(INPUTS, ()) if place not in named and _may_be_there(place)]
    if lost:
        others = f" and {len(lost) - 1:,} more" if len(lost) > 1 else ""
        raise LeyendaError(
            f"{str(journal)!r} is of a run over other inputs: {_shown(lost[0])}{others} is not named now.",
            "Type that command again to go on with it, name its inputs here as well to do both, "
            "or begin anew with --overwrite.",
        )


def _place(word: str) -> str:
    """What a word names, wherever it is typed and however it is spelled."""
    return word if word == STANDARD_INPUT or is_address(word) else os.path.realpath(word)


def _may_be_there(place: str) -> bool:
    """Whether a name may still lead to pictures; that a file has gone is certain, and of all else nobody knows."""
    return not is_picture(place) or os.path.lexists(place)


def _shown(place: str) -> str:
    here = os.path.join(os.getcwd(), "")
    return "standard input" if place == STANDARD_INPUT else repr(place.removeprefix(here))
