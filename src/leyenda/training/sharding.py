"""FSDP: each process keeps a part of the weights, of their gradients and of the optimizer's state.

Layers are put together one after the other while they compute, by `torch.distributed.fsdp.fully_shard`. That happens
where a layer is called as a module, so a sharded model computes with the code of `transformers`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

WHOLE_OPTIMIZER = "optimizer_whole.pt"
"""The optimizer's state of all weights by their names, whatever the number of processes."""


def sharded_copy(model: torch.nn.Module, device: torch.device, processes: int) -> torch.nn.Module:
    """A copy to train whose weights are divided among the processes.

    Args:
        model: of `transformers`, whole, the same in every process; not changed.
        device: of this process; weights lie on devices of this kind.
        processes: how many there are.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    # It warns of changes in place to what a layer returns, of which there are none.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module")
    divided = copy.deepcopy(model)
    divided.__class__ = transformers_class(model)
    divided.to(device)
    mesh = init_device_mesh(device.type, (processes,))
    for part in divided.modules():
        if isinstance(part, torch.nn.ModuleList):
            for layer in part:
                fully_shard(layer, mesh=mesh)
    fully_shard(divided, mesh=mesh)
    return divided


def transformers_class(model: torch.nn.Module) -> Any:
    """The class that `transformers` has for it, where leyenda's own stands in its place."""
    return next(kind for kind in type(model).__mro__ if kind.__module__.startswith("transformers."))


def whole_weights(model: torch.nn.Module) -> dict[str, Any]:
    """All weights of a sharded model, in every process; all have to call it."""
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    return get_model_state_dict(model, options=_whole())


def load_weights(model: torch.nn.Module, weights: Mapping[str, Any]) -> None:
    """Give a sharded model these weights; all processes have to call it, with the same."""
    from torch.distributed.checkpoint.state_dict import set_model_state_dict

    set_model_state_dict(model, dict(weights), options=_whole())


def whole_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The optimizer's state of all weights, in every process; all have to call it."""
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    return get_optimizer_state_dict(model, optimizer, options=_whole())


def load_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer, file: Path) -> None:
    """Give a sharded model's optimizer the state of `whole_optimizer`; all processes have to call it."""
    from torch.distributed.checkpoint.state_dict import set_optimizer_state_dict

    state = torch.load(file, map_location="cpu", weights_only=True)
    set_optimizer_state_dict(model, optimizer, state, options=_whole())


def _whole() -> Any:
    from torch.distributed.checkpoint.state_dict import StateDictOptions

    return StateDictOptions(full_state_dict=True)
