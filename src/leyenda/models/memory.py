"""Whether an error says that the memory is used up, on whichever device."""

from __future__ import annotations

import ctypes

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


def _c_library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has none by this name
        return None


_C_LIBRARY = _c_library()
