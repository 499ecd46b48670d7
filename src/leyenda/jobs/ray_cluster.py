"""A Ray cluster to work on: one that runs, or one of this machine for as long as the work lasts."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from leyenda.errors import LeyendaError, MissingExtra

_ANSWER_S = 5.0
"""Seconds that the machine at an address has to answer."""

_HEALTH_S = 30.0
"""Seconds that Ray has to say that a cluster is well, from its import to its answer."""


def require_ray() -> None:
    """See that Ray is installed, before anything else is loaded.

    Raises:
        MissingExtra: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra("--engine ray", "ray")


@contextlib.contextmanager
def connected(address: str | None, cpus: int) -> Iterator[Any]:
    """The module `ray`, connected to a cluster inside the `with` block.

    Args:
        address: `HOST:PORT` of a cluster's head, or `auto` on one of its machines; None starts one on this machine,
            which no other machine can reach and which ends with the block. A connection that there is already is used
            and kept.
        cpus: that the local cluster counts.

    Raises:
        LeyendaError: nothing answers at the address, or Ray cannot work with what does.
    """
    if address is not None:
        _check_address(address)
    settle_environment(local=address is None)
    import ray

    if ray.is_initialized():
        yield ray
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address is None:
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise _refused(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def settle_environment(*, local: bool) -> None:
    """Ray reads these when it is imported or started; what the user has set stays."""
    # Nothing is sent to anybody, and workers are as fast as without Ray where others use the machine too.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    if not local:
        return
    # It listens on the loopback address only, and to nobody without this word. Ray reads both when it is imported;
    # where the caller has done that already, its own defaults hold.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_address(address: str) -> None:
    """Say at once that nobody answers.

    Raises:
        LeyendaError: nobody does, or it is no such address.
    """
    if address != "auto":
        _check_that_somebody_answers(address)
    # Where something else answers, or a cluster is remembered that has died, Ray would try for a quarter of an hour.
    words = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        subprocess.run(words, capture_output=True, check=True, timeout=_HEALTH_S)  # noqa: S603 - no shell
    except subprocess.SubprocessError as error:
        raise _refused(address, TimeoutError("what is there does not answer as Ray does")) from error


def _check_that_somebody_answers(address: str) -> None:
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise LeyendaError(
            f"{address!r} is not the address of a Ray cluster.",
            "It is HOST:PORT as `ray start --head` prints it (the port is 6379 if none was chosen), or auto on a "
            "machine of the cluster.",
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise _refused(address, error) from error


def _refused(address: str | None, error: Exception) -> LeyendaError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = reason.rstrip(".")
    if address is None:
        return LeyendaError(
            f"Ray cannot be started on this machine: {reason}.", "Leave --engine ray out to do without it."
        )
    if address == "auto":
        return LeyendaError(
            f"No Ray cluster is found from this machine: {reason}.",
            "Start one with `ray start --head`, or leave --address out.",
        )
    return LeyendaError(
        f"No Ray cluster answers at {address}: {reason}.",
        "Check the address, and that `ray status` shows the cluster on its head.",
    )
