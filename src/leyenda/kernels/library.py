"""The compiled kernels, where they are there and this CPU can run them."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import platform
import sys

import torch

SWITCH = "LEYENDA_KERNELS"
"""Environment variable: with 0, torch computes everything."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The functions of the C files beside this one.

    Returns:
        None where they were not compiled (no C compiler when leyenda was installed, another system than Linux), where
        the CPU lacks tiles for bf16, and where the environment says `LEYENDA_KERNELS=0`.
    """
    file = _file()
    if file is None or os.environ.get(SWITCH) == "0":
        return None
    try:
        # Their threads are those of the OpenMP library that torch, imported above, has loaded for all.
        compiled = ctypes.CDLL(file)
    except OSError:
        return None
    return compiled if compiled.can_run() else None


def functions() -> ctypes.CDLL:
    """The library, where somebody has asked before whether it is there."""
    compiled = library()
    assert compiled is not None
    return compiled


def first_of(numbers: torch.Tensor) -> ctypes.c_void_p:
    """Where a tensor's numbers begin, which must be kept for as long as it is used."""
    return ctypes.c_void_p(numbers.data_ptr())


def lacks_compiler() -> bool:
    """Whether this CPU could run the kernels, had there been a C compiler when leyenda was installed."""
    suits = sys.platform == "linux" and platform.machine() == "x86_64" and has_tiles()
    return suits and _file() is None


@functools.cache
def has_tiles() -> bool:
    """Whether this CPU multiplies tiles (AMX)."""
    tiles: bool = getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    return tiles


def _file() -> str | None:
    found = importlib.util.find_spec("leyenda.kernels._compiled")
    return None if found is None else found.origin
