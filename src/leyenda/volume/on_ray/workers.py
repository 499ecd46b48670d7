"""Workers: each has one model on one device, in a process of its own somewhere in the cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ray

from leyenda.errors import CaptionError, LeyendaError
from leyenda.images.model_input import ModelInput
from leyenda.records import Caption, Skipped
from leyenda.volume.on_ray.cluster import Share
from leyenda.volume.on_ray.failure import Failure
from leyenda.volume.on_ray.reading import Place, pixels_in

TRIES = 4
"""How often the same pictures are tried when the process that works on them dies."""

_AT_ONCE = 2
"""Groups that a worker has at a time: one in work, one that waits, so that it never does."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """What a worker gives back.

    Args:
        results: of the pictures, in order: captions without tokens, or why the rules for captions refuse them.
        talk: what the user should hear about it.
    """

    results: tuple[Caption | Skipped, ...]
    talk: tuple[str, ...]


class CaptioningWorker:
    """A model, as Ray runs it.

    Args:
        options: as for `leyenda.Captioner.from_pretrained`, with the checkpoint's name as `model`.
        folder: the caller's working folder, from which relative names start.
        threads: to compute with on a CPU.
    """

    def __init__(self, options: Mapping[str, Any], folder: str, threads: int) -> None:
        self._talk: list[str] = []
        self._failure: Failure | None = None
        try:
            self._captioner = self._load(options, folder, threads)
        except LeyendaError as error:  # raised here it would be a Ray error of many lines
            self._failure = Failure.of(error)

    def _load(self, options: Mapping[str, Any], folder: str, threads: int) -> Any:
        import torch

        from leyenda.inference import Captioner

        if os.path.isdir(folder):
            os.chdir(folder)
        torch.set_num_threads(threads)
        others = {name: value for name, value in options.items() if name != "model"}
        return Captioner.from_pretrained(options["model"], talk=self._talk.append, **others)

    def model_input(self) -> ModelInput | Failure:
        """What must be done to pictures for this model, once it is loaded."""
        return self._failure or self._captioner.model.input

    def refusals(self, prompts: Sequence[str]) -> list[Skipped | None] | Failure:
        """Of each prompt, why no caption can go on from it; None where one can."""
        found: list[Skipped | None] = []
        for prompt in prompts:
            try:
                self._captioner.model.check_prompt(prompt)
                found.append(None)
            except CaptionError as error:
                found.append(Skipped(error.code, str(error)))
            except LeyendaError as error:
                return Failure.of(error)
        return found

    def caption(
        self, places: Sequence[tuple[int, int]], prompts: Sequence[str], *blocks: Any
    ) -> Captioned | Failure:
        """Caption pictures together.

        Args:
            places: of each picture, the number of its block and its row there.
            prompts: of each picture.
            blocks: tables of pictures that were read.
        """
        import torch

        from leyenda.inference.captioner import Prepared

        if self._failure is not None:
            return self._failure
        captioner = self._captioner
        pictures = [
            Prepared(torch.from_numpy(pixels_in(blocks[block], row)), prompt)
            for (block, row), prompt in zip(places, prompts, strict=True)
        ]
        try:
            captions = [Caption(one.text, one.confidence) for one in captioner.generate(pictures)]
        except LeyendaError as error:
            return Failure.of(error)
        ruled = map(captioner.ruled_or_skipped, captions, prompts)
        talk, self._talk[:] = tuple(self._talk), []
        return Captioned(tuple(ruled), talk)


class Pool:
    """The workers of a run.

    Args:
        share: how many there are, and what each one has.
        options: as for `CaptioningWorker`.

    A worker whose process or machine dies is started again by Ray, and what it had in hand is done again.
    """

    def __init__(self, share: Share, options: Mapping[str, Any]) -> None:
        make = ray.remote(CaptioningWorker).options(
            num_cpus=share.cpus, num_gpus=share.gpus, max_restarts=-1, max_task_retries=TRIES - 1
        )
        self._workers = [make.remote(dict(options), os.getcwd(), share.threads) for _ in range(share.workers)]
        self._busy: dict[Any, int] = {}  # answer that is awaited -> number of the worker

    def model_input(self) -> ModelInput:
        """What must be done to pictures for the model; waits until every worker has loaded it.

        Raises:
            LeyendaError: a worker cannot load it.
        """
        answers = ray.get([worker.model_input.remote() for worker in self._workers])
        for answer in answers:
            if isinstance(answer, Failure):
                raise answer.error()
        first = answers[0]
        assert isinstance(first, ModelInput)
        return first

    def refusals(self, prompts: Sequence[str]) -> list[Skipped | None]:
        """Of each prompt, why no caption can go on from it; None where one can.

        Raises:
            LeyendaError: the model takes no prompt at all.
        """
        found = ray.get(self._workers[0].refusals.remote(prompts))
        if isinstance(found, Failure):
            raise found.error()
        return list(found)

    def has_room(self) -> bool:
        """Whether a worker can take something."""
        return len(self._busy) < _AT_ONCE * len(self._workers)

    def send(self, places: Sequence[Place]) -> Any:
        """Have pictures captioned by the worker that has least to do; gives what `ray.get` takes."""
        blocks = list(dict.fromkeys(place.block for place in places))
        rows = [(blocks.index(place.block), place.row) for place in places]
        load = [0] * len(self._workers)
        for number in self._busy.values():
            load[number] += 1
        number = load.index(min(load))
        prompts = [place.prompt for place in places]
        answer = self._workers[number].caption.remote(rows, prompts, *blocks)
        self._busy[answer] = number
        return answer

    def is_there(self, answer: Any) -> bool:
        """Whether an answer has come."""
        self._look(0)
        return answer not in self._busy

    def wait(self) -> None:
        """Until any answer has come."""
        self._look(None)

    def _look(self, seconds: float | None) -> None:
        if self._busy:
            answers = list(self._busy)
            wanted = len(answers) if seconds == 0 else 1
            for answer in ray.wait(answers, num_returns=wanted, timeout=seconds)[0]:
                del self._busy[answer]
