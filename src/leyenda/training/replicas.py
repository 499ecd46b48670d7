"""Parts of a step learned from at the same time on a CPU, each by a replica of the model on its share of the cores.

Threads that share a matrix product wait for the slowest of them behind each one, and a step has thousands of products;
threads with pictures of their own wait for one another once. `leyenda.inference.lanes` does the same for captions.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import torch
from torch import nn

from leyenda.models.dropout import chance_of_its_own
from leyenda.models.git_training import GitForCausalLM
from leyenda.models.quick_gelu import SLOPE, QuickGelu
from leyenda.models.trained_product import Task, compute_itself, weights_gradients_offered

_MOST_REPLICAS = 4
"""Each holds gradients of its own, and all share the Python between their products."""

_NARROWEST = 512
"""Width of the decoder from which they pay: with 320 a step takes as long, with 128 a tenth longer."""

_AT_ONCE = 1 << 17
"""Numbers of gradients that are cast and added together: torch takes four times as long to add numbers of two formats
as to cast them first, and in pieces what was cast is still in the processor's cache."""

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
            _Weight(weight, id(weight) in narrow, times.get(id(weight), 1.0)) for weight in model.parameters()
        ]
        self._replicas = [self._replica(model, swishing) for _ in range(count)]
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="replica")

    def _replica(self, model: nn.Module, swishing: Sequence[nn.Module]) -> nn.Module:
        """A copy of the modules alone: weights are shared or narrower, buffers and hooks are the model's."""
        known: dict[int, Any] = {id(weight.own): weight.for_one_more() for weight in self._weights}
        known |= {id(buffer): buffer for buffer in model.buffers()}
        known |= {id(hooks): hooks for hooks in (getattr(model, name) for name in _HOOKS)}
        known |= {id(part.activation_fn): nn.SiLU() for part in swishing}
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
        order = _Order(len(parts), 2 if all(weight.own.grad is None for weight in self._weights) else 0)
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


class _Order:
    """Hands out parts by their numbers, from 0 on, and lets their holders pass one after the other.

    Holders that find no more parts help those who still have one.

    Args:
        count: of the parts.
        exchangeable: so many of the first parts may pass in any order.
    """

    def __init__(self, count: int, exchangeable: int) -> None:
        self._count, self._taken, self._passed = count, 0, 0
        self._exchangeable = exchangeable
        self._helping = 0
        self._offered: collections.deque[_Offered] = collections.deque()
        self._passing = self._failed = False
        self._changed = threading.Condition()

    def take(self) -> int | None:
        """The next part; None when all are taken."""
        with self._changed:
            if self._taken == self._count:
                return None
            self._taken += 1
            return self._taken - 1

    @contextlib.contextmanager
    def turn_of(self, number: int) -> Iterator[None]:
        """Helps until the holders of all smaller numbers have left such a block.

        Raises:
            _OtherFailedError: one of them never will.
        """
        self._help_until(lambda: self._may_pass(number))
        yield
        with self._changed:
            self._passing = False
            self._passed += 1
            self._changed.notify_all()

    @contextlib.contextmanager
    def offers(self) -> Iterator[Callable[[Task], bool]]:
        """Gives what offers a task to the helpers and says whether it was taken; all are done when the block ends."""
        made: list[_Offered] = []

        def offer(task: Task) -> bool:
            with self._changed:
                if len(self._offered) >= self._helping:
                    return False
                made.append(_Offered(task))
                self._offered.append(made[-1])
                self._changed.notify_all()
                return True

        yield offer
        for one in made:
            with self._changed:
                begun = one not in self._offered
                if not begun:
                    self._offered.remove(one)
            if not begun:
                one.do()
            one.result()

    def help(self) -> None:
        """Do what is offered, until every part has passed.

        Raises:
            _OtherFailedError: one of them never will.
        """
        self._help_until(lambda: self._passed == self._count)

    def _may_pass(self, number: int) -> bool:
        """Whether it is a part's turn, and then it is taken."""
        now = not self._passing and (number < self._exchangeable or number == self._passed)
        self._passing |= now
        return now

    def _help_until(self, come: Callable[[], bool]) -> None:
        with self._changed:
            self._helping += 1
        try:
            while (one := self._offered_before(come)) is not None:
                one.do()
        finally:
            with self._changed:
                self._helping -= 1

    def _offered_before(self, come: Callable[[], bool]) -> _Offered | None:
        """The next task that is offered; None when what is waited for has come."""
        with self._changed:
            while not come():
                if self._failed:
                    raise _OtherFailedError
                if self._offered:
                    return self._offered.popleft()
                self._changed.wait()
            return None

    def unless_one_fails(self, work: Callable[[int], None], place: int) -> None:
        """Do the work of one holder, and tell the others where it fails."""
        try:
            work(place)
        except _OtherFailedError:
            return
        except BaseException:
            with self._changed:
                self._failed, self._taken = True, self._count
                self._changed.notify_all()
            raise


class _Offered:
    """A task that whoever has time does."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._done: Future[None] = Future()

    def do(self) -> None:
        """An error is for the one who offered it."""
        try:
            self._task()
        except BaseException as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)

    def result(self) -> None:
        """Waits until it is done; raises the error that it ended with."""
        self._done.result()


class _OtherFailedError(Exception):
    pass


class _Weight:
    """One of the model's weights, and what its replicas have in its place.

    Args:
        own: the model's.
        narrow: whether replicas have it in bf16; else they read the model's own numbers.
        times: what its numbers are multiplied by in replicas that have it in bf16.
    """

    def __init__(self, own: nn.Parameter, narrow: bool, times: float) -> None:
        self.own = own
        self._times = times
        self._narrow = torch.empty_like(own, dtype=torch.bfloat16) if narrow else None
        self._replicated: list[nn.Parameter] = []
        self._first: torch.Tensor | None = None
        self.follow()

    def for_one_more(self) -> nn.Parameter:
        numbers = self.own.detach() if self._narrow is None else self._narrow
        self._replicated.append(nn.Parameter(numbers, requires_grad=self.own.requires_grad))
        return self._replicated[-1]

    def follow(self) -> None:
        numbers = self.own.detach()
        if self._narrow is not None:
            self._narrow.copy_(numbers if self._times == 1 else numbers * self._times)
            return
        for one in self._replicated:
            one.data = numbers

    @torch.no_grad()
    def add_gradient(self, place: int) -> None:
        """Of the replica in this place, which has none afterwards; the first waits for the second."""
        found, self._replicated[place].grad = self._replicated[place].grad, None
        if found is None:
            return
        if found.is_sparse:
            if self.own.grad is None:
                self.own.grad = torch.zeros_like(self.own)
            self.own.grad.add_(found.coalesce())
        elif self.own.grad is not None:
            for some in _a_few_rows(self.own):
                self.own.grad[some].add_(self._cast(found, some))
        elif self._first is None:
            self._first = found
        else:
            self._settle(self._first, found)

    @torch.no_grad()
    def settle(self) -> None:
        """After the last part, in case that it was the only one."""
        if self._first is not None:
            self._settle(self._first)

    def _settle(self, *parts: torch.Tensor) -> None:
        """Have their sum as the model's gradient, laid out in memory as its weight, which optimizers rely on."""
        sums = torch.empty_like(self.own)
        for some in _a_few_rows(self.own):
            first, *others = (self._cast(part, some) for part in parts)
            sums[some] = functools.reduce(torch.Tensor.add_, others, first)
        self.own.grad, self._first = sums, None

    def _cast(self, gradient: torch.Tensor, some: slice) -> torch.Tensor:
        """Some of its rows in the weight's number format, multiplied as the weight was."""
        rows = gradient[some].to(self.own.dtype, copy=True)
        return rows if self._times == 1 else rows.mul_(self._times)

    def forget_gradients(self) -> None:
        self._first = None
        for one in self._replicated:
            one.grad = None


def _add_gradients(weights: Sequence[_Weight], place: int) -> None:
    for weight in weights:
        weight.add_gradient(place)


def _a_few_rows(weight: torch.Tensor) -> Iterator[Any]:
    """Indices of all of them, of so few at a time that their numbers stay in the processor's cache."""
    if not weight.ndim:
        return iter((...,))
    rows = -(-_AT_ONCE * len(weight) // max(weight.numel(), 1))
    return (slice(first, first + rows) for first in range(0, len(weight), rows))


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
