"""A Ray cluster: the one that runs at an address, or one of this machine alone that ends with the run."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass, replace
from types import TracebackType

import ray

from leyenda.errors import LeyendaError

_ANSWER_S = 5.0
"""Seconds that a cluster has to answer at its address; Ray itself would wait for minutes."""

_SMALLEST_SHARE = 0.01
"""Of a CPU: the least that a worker can ask for."""


@dataclass(frozen=True, slots=True)
class Share:
    """What each worker gets of a cluster.

    Args:
        workers: how many there are.
        cpus: that each one reserves; may be a fraction, which Ray counts and does not enforce.
        gpus: that each one reserves: 1 or 0.
        threads: that each one computes with on a CPU.
        reading: CPUs that a task reserves which reads pictures.
    """

    workers: int
    cpus: float
    gpus: int
    threads: int
    reading: float = 1.0


class Cluster:
    """A connection to Ray. Only one can be open in a process.

    Args:
        address: `HOST:PORT` of the cluster's head, or `auto` on one of its machines; None starts Ray on this machine.

    Raises:
        LeyendaError: nothing answers at the address, or Ray cannot work with what does.
    """

    def __init__(self, address: str | None) -> None:
        self.address = address
        if address is not None:
            _check_address(address)
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
        try:
            if address is None:
                ray.init(address="local", num_cpus=_cores(), include_dashboard=False, **quiet)
            else:
                ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
            raise _refused(address, error) from error
        logging.getLogger("ray.data").setLevel(logging.ERROR)

    def share(self, workers: int | None, device: str | None) -> Share:
        """Divide the cluster among workers, so that something is left for reading pictures.

        Args:
            workers: how many; None takes one for each GPU, or one where there is none.
            device: `cpu`, `cuda`, or None for GPUs where there are any.

        Raises:
            LeyendaError: there are fewer GPUs than workers, or a device that has no meaning here.
        """
        there = ray.cluster_resources()
        share = divided(int(there.get("CPU", 1)), int(there.get("GPU", 0)), workers, device)
        # Ray sets this for its processes, by the CPUs that they reserve; here it is what the user wants.
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        return replace(share, threads=min(share.threads, int(wanted))) if wanted.isdigit() else share

    def close(self) -> None:
        """Leave the cluster; one of this machine alone ends."""
        ray.shutdown()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def divided(cpus: int, gpus: int, workers: int | None, device: str | None) -> Share:
    """What each worker gets.

    Workers that took every CPU would starve the tasks that read pictures for them, and nothing would move. So a whole
    CPU is left for reading, or half of it where there is but one; workers ask for fractions of the others if need be.

    Args:
        cpus: of the cluster.
        gpus: of the cluster.
        workers: as for `Cluster.share`.
        device: as for `Cluster.share`.

    Raises:
        LeyendaError: as for `Cluster.share`.

    >>> divided(2, 0, 2, None)
    Share(workers=2, cpus=0.5, gpus=0, threads=1, reading=1.0)
    >>> divided(64, 8, None, None)
    Share(workers=8, cpus=1.0, gpus=1, threads=7, reading=1.0)
    """
    if device is not None and device not in ("cpu", "cuda"):
        raise LeyendaError(
            f"--device {device} has no meaning with --engine ray.",
            "Each worker takes a device by itself: use cpu or cuda.",
        )
    on_gpus = device != "cpu" and gpus > 0
    if device == "cuda" and not gpus:
        raise LeyendaError("The Ray cluster has no GPU.", "Use --device cpu, or a cluster with GPUs.")
    if workers is None:
        workers = gpus if on_gpus else 1
    if on_gpus and workers > gpus:
        raise LeyendaError(
            f"The Ray cluster has {gpus} GPUs, too few for {workers} workers of one GPU each.",
            f"Use --workers {gpus}, or --device cpu.",
        )
    reading = 1.0 if cpus > 1 else 0.5
    each = max(_SMALLEST_SHARE, int(100 * (max(cpus, 1) - reading) / workers) / 100)
    threads = max(1, cpus // workers - (1 if on_gpus else 0))
    return Share(workers, min(each, 1.0 if on_gpus else float(threads)), int(on_gpus), threads, reading)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_address(address: str) -> None:
    """Say at once that nobody answers.

    Raises:
        LeyendaError: nobody does, or it is no such address.
    """
    if address == "auto":
        return
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
            f"Ray cannot be started on this machine: {reason}.", "Use --engine plain to do without it."
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
