"""What is done where a picture has a caption already."""

from __future__ import annotations

from leyenda.errors import LeyendaError, near

SKIP, OVERWRITE, APPEND, PREPEND = MODES = ("skip", "overwrite", "append", "prepend")


def check_mode(mode: str) -> str:
    """The mode, if there is one of that name.

    Raises:
        LeyendaError: there is none.
    """
    if mode not in MODES:
        raise LeyendaError(
            f"There is no way {mode!r} to treat captions that are there.",
            near(mode, MODES) or f"The ways are: {', '.join(MODES)}.",
        )
    return mode


def joined(mode: str, existing: str | None, caption: str) -> str:
    """The text that is written.

    Args:
        mode: one of `MODES`.
        existing: the text that is there; None or blank where there is none.
        caption: the new one.

    >>> joined("append", "a dog", "in the snow"), joined("prepend", None, "in the snow")
    ('a dog in the snow', 'in the snow')
    """
    before = (existing or "").strip()
    if not before or mode in (SKIP, OVERWRITE):
        return caption
    return f"{before} {caption}" if mode == APPEND else f"{caption} {before}"
