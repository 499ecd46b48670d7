"""A Ray cluster to work on: one that runs, or one of this machine for as long as the work lasts."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import socket
from collections.abc import Iterator
from typing import Any

from leyenda.errors import MissingExtra, RunError

_ANSWER_SECONDS = 5.0


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
    if address is not None:
        _check_answers(address)
    _settle_environment(local=address is None)
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
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _refused(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _settle_environment(*, local: bool) -> None:
    """Ray reads these when it is imported or started; what the user has set stays."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    os.environ.setdefault("RAY_worker_niceness", "0")  # as fast as without Ray
    if local:
        # Its processes listen on the loopback address only, and to nobody without this word.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        if "RAY_AUTH_MODE" not in os.environ:
            os.environ["RAY_AUTH_MODE"] = "token"
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check_answers(address: str) -> None:
    """See that somebody listens at `HOST:PORT`: Ray itself would try for minutes.

    Raises:
        RunError: nobody does.
    """
    host, _, port = address.rpartition(":")
    if address == "auto":
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _refused(address, error) from error


def _refused(address: str | None, error: Exception) -> RunError:
    reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
    if address is None:
        return RunError(f"Ray cannot be started on this machine: {reason}.", "Train without --engine ray.")
    return RunError(
        f"There is no Ray cluster at {address!r}: {reason}.",
        "Give HOST:PORT as `ray start --head` prints it, or leave out --address.",
    )
