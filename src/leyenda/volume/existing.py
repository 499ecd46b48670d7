"""What is done where a picture has a caption already."""

from __future__ import annotations

from leyenda.errors import LeyendaError, near
from leyenda.text_control import TextRules

SKIP, OVERWRITE, APPEND, PREPEND = MODES = ("skip", "overwrite", "append", "prepend")

_BYTE_ORDER_MARK = "\ufeff"


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


def joined(mode: str, existing: str | None, caption: str, rules: TextRules | None = None) -> str:
    """The text that is written.

    What was joined to it before is not joined to it again, so that the same command may be typed twice.

    Args:
        mode: one of `MODES`.
        existing: the text that is there; None or blank where there is none.
        caption: the new one.
        rules: what they put round the new one goes round the whole.

    >>> joined("append", "a dog", "in the snow"), joined("prepend", None, "in the snow")
    ('a dog in the snow', 'in the snow')
    >>> joined("append", "a dog in the snow", "in the snow")
    'a dog in the snow'
    """
    before = words_in(existing)
    if not before or mode in (SKIP, OVERWRITE):
        return caption
    rules = rules or TextRules()
    there, new = (rules.without_additions(text) for text in (before, caption))
    if mode == APPEND:
        whole = there if f" {there}".endswith(f" {new}") else f"{there} {new}"
    else:
        whole = there if f"{there} ".startswith(f"{new} ") else f"{new} {there}"
    return rules.with_additions(whole.strip())


def words_in(text: str | None) -> str:
    """A text without what editors put round it: white space, and the byte order mark in front."""
    return (text or "").removeprefix(_BYTE_ORDER_MARK).strip()
