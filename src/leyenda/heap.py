"""The memory that threads take theirs from. It is decided before the first of them begins, so before most imports."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def share_one_heap() -> None:
    """From now on, threads that begin have no memory of their own (glibc; nothing elsewhere).

    Usually each has pieces of 64 MB, which go back to the system whenever nothing lies in one for a moment, whatever
    `leyenda.models.memory.freed_memory_kept` says. Threads whose states are a good part of that size then fetch them
    in every layer anew.
    """
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has none by this name
        return
    set_option = getattr(library, "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, 1)
