"""A Ray cluster: the one that runs at an address, or one of this machine alone that ends with the run."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass, replace
from types import TracebackType

from leyenda.errors import LeyendaError
from leyenda.jobs.ray_cluster import connected, cores

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
        address: as for `leyenda.jobs.ray_cluster.connected`.

    Raises:
        LeyendaError: likewise.
    """

    def __init__(self, address: str | None) -> None:
        self._closing = contextlib.ExitStack()
        self._ray = self._closing.enter_context(connected(address, cores()))
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.ERROR)

    def share(self, workers: int | None, device: str | None) -> Share:
        """Divide the cluster among workers, so that something is left for reading pictures.

        Args:
            workers: how many; None takes one for each GPU, or one where there is none.
            device: `cpu`, `cuda`, or None for GPUs where there are any.

        Raises:
            LeyendaError: there are fewer GPUs than workers, or a device that has no meaning here.
        """
        there = self._ray.cluster_resources()
        share = divided(int(there.get("CPU", 1)), int(there.get("GPU", 0)), workers, device)
        # Ray sets this for its processes, by the CPUs that they reserve; here it is what the user wants.
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        return replace(share, threads=min(share.threads, int(wanted))) if wanted.isdigit() else share

    def close(self) -> None:
        """Leave the cluster; one of this machine alone ends."""
        self._closing.close()

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
