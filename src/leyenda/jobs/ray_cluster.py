"""A Ray cluster to work on: one that runs, or one of this machine for as long as the work lasts."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from typing import Any

from leyenda.errors import MissingExtra, RunError


def require_ray() -> None:
    """See that Ray is installed, before anything else is loaded.

    Raises:
        MissingExtra: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra("--engine ray", "ray")


@contextlib.contextmanager
def connected(address: str | None, processes: int = 1) -> Iterator[Any]:
    """The module `ray`, connected to a cluster inside the `with` block.

    Args:
        address: of a running cluster, as `ray start` prints it; None starts one on this machine, which no other
            machine can reach and which ends with the block. A connection that there is already is used and kept.
        processes: how many the local cluster has to have room for.

    Raises:
        RunError: there is no cluster at the address.
    """
    # Unless told otherwise, Ray tells its makers about each use.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        yield ray
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=max(os.cpu_count() or 1, processes),
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RunError(
            f"There is no Ray cluster at {address or 'this machine'}: {reason}",
            "Start one with: ray start --head, or leave out --address.",
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()
