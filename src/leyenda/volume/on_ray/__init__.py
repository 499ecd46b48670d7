"""Captioning with a Ray cluster: Ray Data reads the pictures, a pool of workers captions them, the caller writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leyenda.jobs.ray_cluster import require_ray, settle_environment

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
    require_ray()
    settle_environment(local=address is None)
    from leyenda.volume.on_ray.engine import RayEngine

    return RayEngine(options, seen, address=address, workers=workers)
