"""Where a launcher runs one command as several processes, what goes wrong is said once.

`torchrun` and its like end all processes as soon as one has failed. So the main process says what is wrong at once,
and the others wait to be ended; one that is still there after a while is the only one that knows, and speaks.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import click

from leyenda.errors import LeyendaError

_OTHERS_WAIT = 10.0
_MAIN_WAITS = 3.0
"""Seconds. The main process waits with what no user has caused: most often it is that another process is gone."""


def is_main() -> bool:
    """Whether this process is alone, or the main one of a launcher's."""
    return os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0"


@contextlib.contextmanager
def one_voice() -> Iterator[None]:
    """Hold an error back while another process may be saying the same; alone, do nothing."""
    try:
        yield
    except Exception as error:
        if not is_main():
            time.sleep(_OTHERS_WAIT)
        elif os.environ.get("WORLD_SIZE", "1") != "1" and not isinstance(
            error, LeyendaError | click.ClickException
        ):
            time.sleep(_MAIN_WAITS)
        raise
