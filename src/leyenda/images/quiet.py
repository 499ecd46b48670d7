"""What Pillow and its C libraries say about odd pictures stays off the user's screen."""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Callable

from PIL import _imaging


class _QuietPillow:
    """While any thread is inside, no warning of Pillow and no error line of libtiff is shown.

    Pillow warns about odd metadata of pictures that decode well; libtiff writes to standard error what
    Pillow raises anyway. `warnings.catch_warnings` would do for the former, but it swaps the process's list
    of filters, and two threads that overlap leave the wrong list behind. So everything is silenced when the
    first thread enters, and put back when the last one leaves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._set_libtiff_handler = _libtiff_handler_setter()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                warnings.filterwarnings("ignore", module=r"PIL\.")
                self._filter = warnings.filters[0]
                self._libtiff_handler = self._set_libtiff_handler(None)

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside > 0:
                return
            self._set_libtiff_handler(self._libtiff_handler)
            # A host program may have swapped the list in between; then the filter went with it.
            if self._filter in warnings.filters:
                warnings.filters.remove(self._filter)  # type: ignore[attr-defined]


def _libtiff_handler_setter() -> Callable[[int | None], int | None]:
    """TIFFSetErrorHandler of the libtiff that Pillow loaded; it returns the handler before."""
    try:
        setter = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return _nothing  # a Pillow without libtiff, or with one inside that shows no names
    setter.argtypes, setter.restype = (ctypes.c_void_p,), ctypes.c_void_p
    return setter


def _nothing(handler: int | None) -> int | None:
    return handler


quiet_pillow = _QuietPillow()
