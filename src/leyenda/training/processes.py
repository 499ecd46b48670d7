"""The processes that train one model together, as `torchrun`, `accelerate launch` or Ray started them.

Every one of them runs the same code from start to end. What they are told apart by is `Processes`: which one this is,
which work is its own, and how what one of them found out becomes known to all. A process alone is the same thing with
a count of one, and pays nothing for it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from leyenda.errors import RunError

T = TypeVar("T")

_PATIENCE = timedelta(days=7)
"""How long a process waits for the others, who may be reading a million pictures. A dead one is the launcher's to
notice, and it does within a second."""

_ACCELERATE_ASKS = "ACCELERATE_USE_FSDP"

_BUCKET_BYTES = 64 << 20
"""Gradients travel in parcels of this size: large enough that their number does not matter, small beside a model."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Those that train together, seen from one of them.

    Args:
        rank: which one this is, from 0.
        count: how many there are.
        local_rank: which one it is on its machine.
        local_count: how many there are on its machine.
        sharded: whether each is to keep a part of the weights only (FSDP).
        talk: the group of `torch.distributed` in which they exchange what is no tensor; it never waits for a GPU.

    >>> ALONE.is_main, ALONE.share("abc"), ALONE.gathered(lambda: 7)
    (True, 'abc', [7])
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1
    sharded: bool = False
    talk: Any = field(default=None, compare=False)

    @property
    def is_main(self) -> bool:
        """Whether this one writes and speaks."""
        return self.rank == 0

    def share(self, work: Sequence[T]) -> Sequence[T]:
        """Which of the items are this process's; all of them together have each once.

        >>> [Processes(rank, 3).share("abcde") for rank in range(3)]
        ['ad', 'be', 'c']
        """
        return work[self.rank :: self.count]

    def share_in_rows(self, work: Sequence[T], most: int) -> list[Sequence[T]]:
        """This process's rows of items that stand together, for work that is done in batches.

        Args:
            work: the items.
            most: items of a row; fewer where there would not be one for each process.

        >>> [Processes(rank, 2).share_in_rows("abcdefg", 2) for rank in range(2)]
        [['ab', 'ef'], ['cd', 'g']]
        """
        size = max(1, min(most, -(-len(work) // self.count)))
        rows = [work[start : start + size] for start in range(0, len(work), size)]
        return list(self.share(rows))

    def together(self, make: Callable[[], T]) -> T:
        """What `make` gives, once it has gone well in every process.

        Raises:
            Exception: what went wrong here, or else in the first process where something did: the same in all.
        """
        if self.count == 1:
            return make()
        made, wrong = _attempt(make)
        if self.any(wrong is not None):
            told = self._gather(None if wrong is None else _portable(wrong))
            raise wrong or next(error for error in told if error is not None)
        return made

    def gathered(self, make: Callable[[], T]) -> list[T]:
        """What `make` gives in each process, by rank; errors as in `together`."""
        made = self.together(make)
        return [made] if self.count == 1 else self._gather(made)

    def from_main(self, make: Callable[[], T]) -> T:
        """What `make` gives in the main process, which alone calls it; errors as in `together`."""
        made = self.together(lambda: make() if self.is_main else None)
        if self.count > 1:
            from torch import distributed

            parcel = [made]
            distributed.broadcast_object_list(parcel, src=0, group=self.talk)
            made = parcel[0]
        return made  # type: ignore[return-value]  # what `make` gave

    def first_on_each_machine(self, make: Callable[[], T]) -> T:
        """What `make` gives in this process; the first process of each machine calls it before the others do.

        For what leaves something in a cache on the disk, which the others then find.
        """
        first = self.together(lambda: make() if self.local_rank == 0 else None)
        return self.together(lambda: make() if first is None else first)

    def any(self, flag: bool) -> bool:
        """Whether it is true in one of them."""
        return bool(max(self._numbers(int(flag))))

    def least(self, number: int) -> int:
        """The smallest of the processes' numbers."""
        return min(self._numbers(number))

    def most(self, number: int) -> int:
        """The largest of the processes' numbers."""
        return max(self._numbers(number))

    def total(self, number: int) -> int:
        """The sum of the processes' numbers."""
        return sum(self._numbers(number))

    def add_gradients(self, weights: Sequence[Any]) -> None:
        """Give every process the sum of the gradients of all; a weight that none has one for is left without.

        It happens when a step is computed, and not while: a process whose memory runs out in the middle could not
        tell the others, who would wait for its gradients for ever.

        Args:
            weights: those that are trained, in the same order in all processes.
        """
        if self.count == 1:
            return
        import torch
        from torch import distributed

        has = torch.tensor([weight.grad is not None for weight in weights], dtype=torch.uint8)
        distributed.all_reduce(has, distributed.ReduceOp.MAX, group=self.talk)
        moved = [weight for weight, wanted in zip(weights, has.tolist(), strict=True) if wanted]
        for weight in moved:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        for bucket in _buckets([weight.grad for weight in moved]):
            parcel = torch.cat([gradient.reshape(-1) for gradient in bucket])
            distributed.all_reduce(parcel)
            sums = torch.split(parcel, [gradient.numel() for gradient in bucket])
            for gradient, part in zip(bucket, sums, strict=True):
                gradient.copy_(part.view_as(gradient))

    def give_weights(self, model: Any) -> None:
        """Give every process the main one's weights, so that all start from the same bits."""
        if self.count > 1:
            from torch import distributed

            for tensor in [*model.parameters(), *model.buffers()]:
                distributed.broadcast(tensor.detach(), src=0)

    def _numbers(self, number: int) -> list[int]:
        """Each process's number, by rank."""
        if self.count == 1:
            return [number]
        import torch
        from torch import distributed

        told = torch.zeros(self.count, dtype=torch.long)
        told[self.rank] = number
        distributed.all_reduce(told, group=self.talk)
        return [int(one) for one in told]

    def _gather(self, made: T) -> list[T]:
        from torch import distributed

        everyone: list[Any] = [None] * self.count
        distributed.all_gather_object(everyone, made, group=self.talk)
        return everyone


ALONE = Processes()
"""A process that trains by itself."""


def launched(environment: Mapping[str, str] = os.environ) -> Processes:
    """What the launcher says in the environment; nothing is connected yet.

    >>> launched({"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}).is_main
    False
    >>> launched({}) == ALONE
    True
    """
    try:
        rank, count = int(environment["RANK"]), int(environment["WORLD_SIZE"])
        local_rank = int(environment.get("LOCAL_RANK", rank))
        local_count = int(environment.get("LOCAL_WORLD_SIZE", count))
    except (KeyError, ValueError):
        return ALONE
    return Processes(rank, count, local_rank, local_count) if count > 1 else ALONE


@contextlib.contextmanager
def joined(device: str | None, shard: bool = False) -> Iterator[Processes]:
    """The processes of this run, connected for as long as the block lasts.

    Args:
        device: the recipe's `model.device`.
        shard: whether the recipe asks for FSDP, as `accelerate launch --use_fsdp` does too.

    Raises:
        RunError: the processes would share one device, or do not find each other, or there is only one to shard over.
    """
    there = launched()
    if there.count == 1:
        if shard:
            raise RunError(
                "training.fsdp divides a model among processes, and there is only one.",
                "Start several, as in: torchrun --nproc-per-node 2 -m leyenda train ...",
            )
        yield ALONE
        return
    if device is not None and ":" in device:
        raise RunError(
            f"{device} is one device, but {there.count} processes train together.",
            "Name only its kind, as in --device cuda: each process takes its own.",
        )
    from torch import distributed

    on_cpu = _on_cpu(device, there)
    began = not distributed.is_initialized()
    # leyenda shards itself. While this is set, transformers loads no weights but in the main process.
    asked = os.environ.pop(_ACCELERATE_ASKS, None)
    sharded = shard or (asked or "").lower() in ("1", "true", "yes")
    try:
        if began:
            distributed.init_process_group("gloo" if on_cpu else "cpu:gloo,cuda:nccl", timeout=_PATIENCE)
        group = distributed.new_group(backend="gloo", timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"The {there.count} processes do not find each other: {reason}") from error
    try:
        yield dataclasses.replace(there, sharded=sharded, talk=group)
    finally:
        if asked is not None:
            os.environ[_ACCELERATE_ASKS] = asked
        if began:
            distributed.destroy_process_group()


def _on_cpu(device: str | None, there: Processes) -> bool:
    """Whether the processes compute on the CPU; otherwise each takes the GPU that its place on the machine says."""
    import torch

    from leyenda.models.precision import choose_device

    if choose_device(device).type != "cuda":
        return True
    if there.local_count > torch.cuda.device_count():
        raise RunError(
            f"There are {there.local_count} processes and {torch.cuda.device_count()} GPUs on this machine.",
            "Start one process a GPU, or train on the CPU with --device cpu.",
        )
    torch.cuda.set_device(there.local_rank)
    return False


def _attempt(make: Callable[[], T]) -> tuple[T, Exception | None]:
    try:
        return make(), None
    except Exception as error:
        return None, error  # type: ignore[return-value]  # not looked at


def _portable(error: Exception) -> Exception:
    """The error, or what can be said of it, for another process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _buckets(gradients: Sequence[Any]) -> Iterator[list[Any]]:
    """Gradients of one type in a row, together no larger than a parcel unless one alone is."""
    bucket: list[Any] = []
    size = 0
    for gradient in gradients:
        own = gradient.numel() * gradient.element_size()
        if bucket and (size + own > _BUCKET_BYTES or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += own
    if bucket:
        yield bucket
