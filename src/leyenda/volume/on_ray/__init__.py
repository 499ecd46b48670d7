"""Captioning with a Ray cluster: Ray Data reads the pictures, a pool of workers captions them, the caller writes."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leyenda.errors import MissingExtra

if TYPE_CHECKING:
    from leyenda.volume.on_ray.engine import RayEngine
    from leyenda.volume.seen_pictures import SeenPictures


def open_engine(
    options: Mapping[str, Any],
    seen: SeenPictures | None,
    *,
    address: str | None = None,
    workers: int | None = None,
) -> RayEngine:
    """The engine, if Ray is installed.

    Args:
        options: as for `leyenda.volume.on_ray.engine.RayEngine`.
        seen: likewise.
        address: likewise.
        workers: likewise.

    Raises:
        MissingExtra: it is not.
        LeyendaError: as `RayEngine`.
    """
    _settle_environment(local=address is None)
    try:
        from leyenda.volume.on_ray.engine import RayEngine
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "leyenda":
            raise
        raise MissingExtra("--engine ray", "ray") from error
    return RayEngine(options, seen, address=address, workers=workers)


def _settle_environment(*, local: bool) -> None:
    """Ray reads these when it is imported or started; what the user has set stays."""
    # Nothing is sent to anybody, and workers are as fast as without Ray where others use the machine too.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    if not local:
        return
    # It listens on the loopback address only, and to nobody without this word. Ray reads the mode when it is imported;
    # where the caller has done that already, Ray's own default holds.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
