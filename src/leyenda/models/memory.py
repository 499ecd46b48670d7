"""Memory on whichever device: whether an error says that it is used up, and what becomes of freed memory."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

import torch

_WORDS = ("not enough memory", "can't allocate memory", "out of memory", "alloc_failed")
"""What torch says where it has no exception of its own: on a CPU, on a Mac's GPU, in a CUDA library."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether less work at a time could have fitted.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("The size of tensor a must match"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _WORDS)


def release(device: torch.device) -> None:
    """Give back what is kept for reuse; pieces of the size that did not fit may lie among it."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    elif _C_LIBRARY is not None and hasattr(
        _C_LIBRARY, "malloc_trim"
    ):  # glibc; others give back by themselves
        _C_LIBRARY.malloc_trim(0)


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Inside the block, what this process frees is kept for what it asks for next (glibc; nothing elsewhere).

    Usually glibc gives large pieces back to the system at once; it gets them again page by page, filled with zeros.
    """
    set_option = getattr(_C_LIBRARY, "mallopt", None)
    if set_option is None:
        yield
        return
    set_option(_M_MMAP_MAX, 0)
    set_option(_M_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        set_option(_M_MMAP_MAX, _USUAL_MMAP_MAX)
        set_option(_M_TRIM_THRESHOLD, _USUAL_TRIM_THRESHOLD)
        release(torch.device("cpu"))


_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""From glibc's malloc.h."""

_USUAL_TRIM_THRESHOLD, _USUAL_MMAP_MAX, _NEVER = 64 << 20, 65_536, -1
"""The usual threshold is what glibc itself arrives at in a process that frees large pieces; set once, it stays."""


def _c_library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has none by this name
        return None


_C_LIBRARY = _c_library()
