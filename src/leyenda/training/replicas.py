"""Parts of a step learned from at the same time on a CPU, each by a replica of the model on its share of the cores.

Threads that share a matrix product wait for the slowest of them behind each one, and a step has thousands of products;
threads with pictures of their own wait for one another once. `leyenda.inference.lanes` does the same for captions.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import torch
from torch import nn

from leyenda.models.activations import SLOPE, QuickGelu, Swish
from leyenda.models.dropout import chance_of_its_own
from leyenda.models.git_training import GitForCausalLM
from leyenda.models.trained_product import compute_itself, weights_gradients_offered
from leyenda.training.parts_in_order import PartsInOrder
from leyenda.training.replicated_weight import ReplicatedWeight

_MOST_REPLICAS = 4
"""Each holds gradients of its own, and all share the Python between their products."""

_NARROWEST = 512
"""Width of the decoder from which they pay: with 320 a step takes as long, with 128 a tenth longer."""

_HOOKS = (
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
)

Part = TypeVar("Part")


def count_of_replicas(model: Any, threads: int) -> int:
    """How many of a model suit this process; 1 where the model itself is to learn on all cores.

    That is so where the model is narrow or on a GPU; with `transformers`' own code for it, for which all threads would
    draw their chance in dropout from one generator; where states are computed a second time for less memory, which
    draws again; and where an optimizer watches single gradients.

    Args:
        model: what is trained.
        threads: that this process may compute with.
    """
    if not isinstance(model, GitForCausalLM) or model.device.type != "cpu":
        return 1
    if model.config.hidden_size < _NARROWEST:
        return 1
    if any(getattr(module, "gradient_checkpointing", False) for module in model.modules()):
        return 1
    if any(getattr(weight, "_post_accumulate_grad_hooks", None) for weight in model.parameters()):
        return 1
    return max(1, min(_MOST_REPLICAS, threads))


class Replicas:
    """Copies of a model that have its weights, and gradients of their own.

    Weights that autocast would cast to bf16 in every forward pass are cast once a step, for all of them.

    Args:
        model: what is trained; it gets the gradients.
        count: of the replicas.
        bf16: whether training is under autocast to bf16.
    """

    def __init__(self, model: nn.Module, count: int, bf16: bool) -> None:
        narrow = _only_multiplied(model) if bf16 else set()
        swishing = [part for part in _quick_gelus(model) if _weights_of(part) <= narrow]
        times = {identity: factor for part in swishing for identity, factor in _for_a_swish(part).items()}
        self._weights = [
            ReplicatedWeight(weight, id(weight) in narrow, times.get(id(weight), 1.0))
            for weight in model.parameters()
        ]
        self._replicas = [self._replica(model, swishing) for _ in range(count)]
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="replica")

    def _replica(self, model: nn.Module, swishing: Sequence[nn.Module]) -> nn.Module:
        """A copy of the modules alone: weights are shared or narrower, buffers and hooks are the model's."""
        known: dict[int, Any] = {id(weight.own): weight.for_one_more() for weight in self._weights}
        known |= {id(buffer): buffer for buffer in model.buffers()}
        known |= {id(hooks): hooks for hooks in (getattr(model, name) for name in _HOOKS)}
        known |= {id(part.activation_fn): Swish() for part in swishing}
        replica = copy.deepcopy(model, known)
        for module in replica.modules():
            if isinstance(module, nn.Embedding):
                # Its gradient is of the few words that are read, not of the whole vocabulary.
                module.sparse = True
            else:
                compute_itself(module)
        return replica

    @property
    def count(self) -> int:
        """How many parts can be learned from at the same time."""
        return len(self._replicas)

    def follow(self) -> None:
        """Have the model's weights as they are now."""
        for weight in self._weights:
            weight.follow()

    def norm(self) -> float:
        """Of the gradients that the model has since `learn`, as `torch.nn.utils.clip_grad_norm_` finds it.

        They need not be read once more for it.
        """
        return math.sqrt(sum(weight.squares for weight in self._weights))

    def learn(
        self, parts: Sequence[Part], gradients: Callable[[nn.Module, Part], torch.Tensor]
    ) -> list[torch.Tensor]:
        """Add to the model's gradients what its replicas find for the parts, in their order.

        A replica that is through with a part takes the next one. Chance follows from torch's generator in the
        caller's thread, one number a part.

        Args:
            parts: what is learned from.
            gradients: leaves a part's gradients in the replica that it is given.

        Returns:
            What it returned for each part.

        Raises:
            Exception: whatever `gradients` raises. No replica is at work then, and the model's gradients are of some
                of the parts.
        """
        threads, lanes = torch.get_num_threads(), min(self.count, len(parts))
        seeds = torch.randint(1 << 62, (len(parts),)).tolist()
        # A sum of two is the same in either order, where nothing is there before.
        order = PartsInOrder(len(parts), 2 if all(weight.own.grad is None for weight in self._weights) else 0)
        largest_first = sorted(self._weights, key=lambda weight: -weight.own.numel())
        shares = [largest_first[place::lanes] for place in range(lanes)]
        found: dict[int, torch.Tensor] = {}

        def learn_in_turn(place: int) -> None:
            torch.set_num_threads(max(1, threads // lanes))
            while (number := order.take()) is not None:
                with (
                    chance_of_its_own(seeds[number]),
                    order.offers() as offer,
                    weights_gradients_offered(offer),
                ):
                    found[number] = gradients(self._replicas[place], parts[number])
                with order.turn_of(number), order.offers() as offer:
                    for some in shares:
                        add = functools.partial(_add_gradients, some, place)
                        if not offer(add):
                            add()
            order.help()
            for weight in shares[place]:
                weight.settle()

        running = [self._pool.submit(order.unless_one_fails, learn_in_turn, place) for place in range(lanes)]
        try:
            wait(running)
            torch.set_num_threads(threads)  # some of torch's libraries take the number that was set last
            for one in running:
                one.result()
        finally:
            for weight in self._weights:
                weight.forget_gradients()
        return [found[number] for number in range(len(parts))]


def _add_gradients(weights: Sequence[ReplicatedWeight], place: int) -> None:
    for weight in weights:
        weight.add_gradient(place)


def _only_multiplied(model: nn.Module) -> set[int]:
    """The identities of the weights that nothing but products in autocast's number format reads."""
    readers: dict[int, list[nn.Module]] = {}
    for module in model.modules():
        for weight in module.parameters(recurse=False):
            readers.setdefault(id(weight), []).append(module)
    return {
        weight
        for weight, modules in readers.items()
        if all(isinstance(module, nn.Linear | nn.Conv2d) for module in modules)
    }


def _quick_gelus(model: nn.Module) -> list[Any]:
    """The feed-forward parts whose activation is x sigmoid(s x)."""
    return [part for part in model.modules() if isinstance(getattr(part, "activation_fn", None), QuickGelu)]


def _weights_of(part: nn.Module) -> set[int]:
    return {id(weight) for weight in part.parameters()}


def _for_a_swish(part: Any) -> dict[int, float]:
    """What the weights around a quick GELU are multiplied by so that it is a swish: x sigmoid(s x) = swish(s x) / s.

    A swish goes over the states once, forward and backward.
    """
    widening = {id(part.fc1.weight): SLOPE, id(part.fc1.bias): SLOPE}
    return widening | {id(part.fc2.weight): 1 / SLOPE}
