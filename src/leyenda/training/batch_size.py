"""How many pictures go through the model at a time: by what memory they need, and fewer when it runs out.

An optimizer step is on as many pictures as the recipe says, whatever happens here. It is computed in pieces whose
gradients are added up, so the size of a piece changes memory and speed, and the result only by rounding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from leyenda.errors import RunError
from leyenda.models import CaptioningModel
from leyenda.training.pairs import Pairs, collate
from leyenda.training.processes import ALONE, Processes
from leyenda.training.replicas import count_of_replicas

Autocast = Callable[[], contextlib.AbstractContextManager[Any]]
"""Gives the context in which training computes."""

_HEADROOM = 1.3
"""Peak of a step over what autograd keeps for it: gradients in the making and the largest operation's workspace."""

_SHARE_OF_FREE = {"cuda": 0.9}
_SHARE_OF_RAM = 0.6
"""A GPU that runs out says so and less is tried. A machine that runs out of RAM kills the process instead."""

_OPTIMIZER_BYTES = 12
"""For each trained weight: its gradient and Adam's two moments, in float32."""

_REPLICA_BYTES = 4
"""For each trained weight and replica of the model but one: its gradient."""


class PieceSize(TrainerCallback, ExportableState):  # type: ignore[misc]
    """How many pictures are computed at a time; saved with every checkpoint, so that a resumed run goes on alike.

    Args:
        pictures: at most so many.
        step: pictures of an optimizer step, of all processes together. It stays what it was when a run goes on with
            another number of processes.
    """

    def __init__(self, pictures: int, step: int) -> None:
        self.pictures = pictures
        self.step = step

    def state(self) -> dict[str, Any]:
        """As the Trainer saves and restores it."""
        return {"args": {"pictures": self.pictures, "step": self.step}, "attributes": {}}

    def halve(self) -> None:
        """After memory ran out.

        Raises:
            RunError: one picture at a time is already too much.
        """
        if self.pictures <= 1:
            raise RunError(
                "There is not enough memory to train on one picture at a time.",
                "Keep the image encoder's weights (--freeze image_encoder), or choose a smaller model.",
            )
        self.pictures = -(-self.pictures // 2)


def saved_size(state: Mapping[str, Any], step: int) -> PieceSize | None:
    """The sizes in a checkpoint's trainer state; None where it has none.

    Args:
        state: as the Trainer saved it.
        step: pictures of a step, where the checkpoint does not say it.

    >>> saved_size({"stateful_callbacks": {"PieceSize": PieceSize(8, 64).state()}}, 32).step
    64
    """
    callbacks = state.get("stateful_callbacks")
    kept = callbacks.get(PieceSize.__name__) if isinstance(callbacks, Mapping) else None
    return PieceSize(**{"step": step, **kept["args"]}) if kept else None


_ENOUGH_FOR_A_CPU = 16
_LARGE_PICTURE = 50_000_000
"""From so many bytes a picture on, pieces of more than 16 are no faster on a CPU (of 8, 1% slower), and pieces of
captions of like length have less padding (4% to 20% less time). Smaller models gain by few calls instead."""


@dataclass(frozen=True, slots=True)
class Need:
    """What training takes of memory, in bytes.

    Args:
        fixed: whatever the number of pictures: gradients, optimizer, weights in a narrower format.
        picture: for each picture that is computed at a time.
    """

    fixed: int
    picture: int

    def most_pictures(self, free: float) -> int:
        """How many pictures fit at a time; 0 if none does."""
        return max(0, int((free - self.fixed) // max(self.picture, 1)))


def largest_that_fits(step: int, need: Need, free: float) -> int:
    """The step's pictures halved until they fit; at least 1, for it may still go well.

    Args:
        step: pictures of an optimizer step, or fewer.
        need: see `Need`.
        free: bytes that may be used.

    >>> largest_that_fits(64, Need(fixed=0, picture=100), 2000)
    16
    """
    size = step
    while size > 1 and size > need.most_pictures(free):
        size = -(-size // 2)
    return size


def choose_piece(
    step: int, model: CaptioningModel, pairs: Pairs, autocast: Autocast, processes: Processes = ALONE
) -> tuple[int, str]:
    """The largest piece that memory holds in every process, and why, in one line.

    Args:
        step: pictures of an optimizer step.
        model: what is trained.
        pairs: what it is trained on.
        autocast: the context in which training computes.
        processes: they share the step, and those on one machine its memory.
    """
    need = measure_need(model, pairs, autocast)
    kind = model.device.type
    free = free_memory(model.device)
    if kind != "cuda":
        free //= processes.local_count
    own = most = -(-step // processes.count)
    while kind == "cpu" and need.picture >= _LARGE_PICTURE and most > _ENOUGH_FOR_A_CPU:
        most = -(-most // 2)
    here = largest_that_fits(most, need, free * _SHARE_OF_FREE.get(kind, _SHARE_OF_RAM))
    size = processes.least(here)
    whose = f"a step's {step} pictures" if processes.count == 1 else f"a process's {own} pictures of a step"
    less = f" (here {here} would fit)" if size < here else ""
    return size, (
        f"Batch size: {size} of {whose} at a time{less}; one needs about {_gigabytes(need.picture)} GB "
        f"and the weights' training {_gigabytes(need.fixed)} GB, and {_gigabytes(free)} GB "
        f"{'of the GPU ' if kind == 'cuda' else ''}are free."
    )


def measure_need(model: CaptioningModel, pairs: Pairs, autocast: Autocast) -> Need:
    """What training takes, by one forward pass of one and one of two pictures.

    What autograd keeps for the backward pass is counted, not estimated from the architecture, so it holds for any
    model and for whatever is frozen. Neither weights nor random state are changed.

    Args:
        model: what is trained.
        pairs: what it is trained on; the picture with the longest captions is looked at.
        autocast: the context in which training computes.
    """
    weights = list(model.model.parameters())
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    was_training = model.model.training
    devices = [model.device] if model.device.type == "cuda" else []
    try:
        model.model.train()
        with torch.random.fork_rng(devices=devices), autocast():
            one, two = (_kept_bytes(model, pairs, count) for count in (1, 2))
    finally:
        model.model.train(was_training)
    picture = max(two - one, 1)
    replicas = count_of_replicas(model.model, torch.get_num_threads())
    of_weights = (_OPTIMIZER_BYTES + _REPLICA_BYTES * (replicas - 1)) * trained
    return Need(of_weights + max(one - picture, 0), int(_HEADROOM * picture))


def _kept_bytes(model: CaptioningModel, pairs: Pairs, count: int) -> int:
    """What autograd keeps of a forward pass of so many pictures, the weights apart."""
    weights = {weight.untyped_storage().data_ptr() for weight in model.model.parameters()}
    kept: dict[int, int] = {}

    def look(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    batch = pairs.heaviest(count)
    batch["images"] = {name: rows.to(model.device) for name, rows in batch["images"].items()}
    inputs = collate(model, batch)
    inputs = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    with torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor):
        loss = model.model(**inputs).loss
    del loss
    return sum(kept.values())


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a GPU; for any other device those of the machine, or what its container may still take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free) + kept
    import psutil

    return min(int(psutil.virtual_memory().available), _left_in_container())


def _left_in_container(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """What a control group (version 2) leaves to this process; without a limit, no bound."""
    try:
        limit = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):  # no such group, or the word `max`
        return 1 << 62
    return max(limit - used, 0)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}" if count >= 1e9 else f"{count / 1e9:.2g}"
