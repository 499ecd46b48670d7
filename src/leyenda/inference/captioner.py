"""One picture or many in, captions out, in order; a bad picture costs only itself."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import torch
from PIL import Image

from leyenda import models
from leyenda.errors import CaptionError, ImageError, LeyendaError
from leyenda.images import DEFAULT_MAX_PIXELS, PictureLike, fetch
from leyenda.inference.ahead import in_order_ahead, reading_threads
from leyenda.inference.lanes import Lanes
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.memory import is_out_of_memory, release
from leyenda.records import Caption, ImageSource, PictureBytes, PictureRow, Skipped
from leyenda.text_control import PromptTemplate, TextRules

_FOR_A_CPU, _FOR_A_GPU = 16, 256

_SINGLE = (
    str,
    os.PathLike,
    bytes,
    bytearray,
    memoryview,
    io.IOBase,
    Image.Image,
    np.ndarray,
    ImageSource,
    PictureBytes,
    torch.Tensor,
)

_MOST_WAITING = 4
"""Inputs kept back until a batch is full, in batches: many bad pictures in a row must not pile up."""

Picture = TypeVar("Picture", bound=PictureLike | PictureRow)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as the model takes it, `[3, height, width]`, and the words that its caption goes on from."""

    pixels: torch.Tensor
    prompt: str


class Captioner:
    """Captions pictures with one checkpoint.

    Args:
        model: the checkpoint, as `leyenda.models.load` or `create` gives it.
        settings: how captions are searched for.
        batch_size: pictures that go through the model together; None takes what suits the device. It changes speed
            and memory, not the captions.
        max_pixels: most pixels (width x height) that a picture may have; larger ones are skipped unopened.
        exact_decode: decode every pixel of a large JPEG, instead of at a smaller scale that keeps twice what the
            model sees.
        text: rules that every caption keeps; None for none.
        prompt: words that every caption goes on from, with the names of a `PictureRow`'s columns in braces; None for
            none.
        talk: is told when the memory is too small for a batch; None prints it to standard error.
        lanes: how many batches are captioned at the same time; None takes what suits the model.

    Raises:
        LeyendaError: a setting that makes no sense, more tokens asked for than the model can write, a prompt for a
            model that takes none, or a required word that it cannot write.
    """

    def __init__(
        self,
        model: CaptioningModel,
        settings: GenerationSettings | None = None,
        batch_size: int | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        *,
        exact_decode: bool = False,
        text: TextRules | None = None,
        prompt: str | None = None,
        talk: Callable[[str], None] | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        self.model = model
        self._lanes = lanes
        self.prompt = PromptTemplate(prompt) if prompt is not None else None
        if self.prompt is not None:
            model.check_prompts()
        self.text = model.as_written(text or TextRules())
        self.settings = settings or GenerationSettings()
        self.exact_decode = exact_decode
        self._talk = talk or say
        self._fitting = sys.maxsize  # pictures that the memory holds together, as far as is known
        self._learning = threading.Lock()
        self.batch_size = batch_size_on(model.device.type, batch_size)
        self.max_pixels = check_max_pixels(max_pixels)
        model.check_length(self.settings)

    @property
    def lanes(self) -> Lanes:
        """How many batches are captioned at the same time."""
        return self._lanes or Lanes.suiting(self.model)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path = models.DEFAULT_MODEL,
        *,
        device: str | None = None,
        precision: str = "auto",
        revision: str | None = None,
        token: str | None = None,
        beams: int = 1,
        max_length: int = 50,
        min_length: int = 0,
        sample: bool = False,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int = 0,
        batch_size: int | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        exact_decode: bool = False,
        text: TextRules | None = None,
        prompt: str | None = None,
        talk: Callable[[str], None] | None = None,
    ) -> Captioner:
        """A captioner with the checkpoint of that name; settings are checked before it is loaded.

        Args:
            name: a checkpoint's folder, a training run's folder, a hub id, or `demo`.
            device: `cpu`, `cuda`, `cuda:N`, `mps`; None takes the best one here.
            precision: `auto`, `fp32`, `bf16`, `fp16` or `int8` (CPU only); `auto` suits the
                machine and the model.
            revision: branch, tag or commit of a hub id.
            token: hub token; None uses the one that `hf auth login` stored.
            beams: beams of the search; 1 is greedy.
            max_length: most tokens of a caption, the end token included.
            min_length: fewest tokens before the caption may end.
            sample: draw words at random by their probability instead of taking the best.
            temperature: of the sampling; below 1 is more careful, above 1 more varied.
            top_p: sample only from the most probable words that together reach this probability.
            seed: of the sampling.
            batch_size: pictures that go through the model together; None takes what suits the device.
            max_pixels: most pixels (width x height) that a picture may have.
            exact_decode: decode every pixel of a large JPEG.
            text: rules that every caption keeps.
            prompt: words that every caption goes on from; names of columns stand in braces.
            talk: is told when the memory is too small for a batch; None prints it to standard error.

        Raises:
            ModelError: the checkpoint cannot be found, fetched or read.
            LeyendaError: a setting that makes no sense.
        """
        settings = GenerationSettings(beams, max_length, min_length, sample, temperature, top_p, seed)
        if batch_size is not None:
            check_batch_size(batch_size)
        check_max_pixels(max_pixels)
        if prompt is not None:
            PromptTemplate(prompt)
        model = models.load(
            name, device=device, precision=precision, revision=revision, token=token, captions_only=True
        )
        return cls(
            model,
            settings,
            batch_size,
            max_pixels,
            exact_decode=exact_decode,
            text=text,
            prompt=prompt,
            talk=talk,
        )

    @overload
    def __call__(self, pictures: PictureLike | PictureRow) -> Caption: ...  # type: ignore[overload-overlap]  # str is iterable

    @overload
    def __call__(self, pictures: Iterable[PictureLike | PictureRow]) -> list[Caption | Skipped]: ...

    def __call__(
        self, pictures: PictureLike | PictureRow | Iterable[PictureLike | PictureRow]
    ) -> Caption | list[Caption | Skipped]:
        """Caption one picture, or many.

        Args:
            pictures: a path, an http(s) address, encoded bytes, a file that is open for reading bytes, a Pillow
                picture, an array (height, width[, channels]) or an `ImageSource`; one of these with its columns, as
                a `PictureRow`; or an iterable.

        Returns:
            The caption of one picture; or, for an iterable, one `Caption` or `Skipped` each, in order.

        Raises:
            ImageError: one picture was given and it cannot be used. Many pictures never raise it.
            CaptionError: one picture was given, and what the model says of it breaks a rule.
        """
        if isinstance(pictures, _SINGLE) or not isinstance(pictures, Iterable):
            prepared = self.prepare(pictures)
            return self.ruled(next(self.generate([prepared])), prepared.prompt)
        return [result for _, result in self.stream(pictures)]

    def stream(
        self, pictures: Iterable[Picture], batch_size: int | None = None
    ) -> Iterator[tuple[Picture, Caption | Skipped]]:
        """Caption pictures as they come; memory does not grow with their number.

        Args:
            pictures: as for a call; read, in the caller's thread, only as far as the batches in work and the next one
                need.
            batch_size: pictures that go through the model together; None takes the captioner's own.

        Yields:
            Each input with its `Caption` or `Skipped`, in order.
        """
        size = self.batch_size if batch_size is None else check_batch_size(batch_size)
        return self._stream(pictures, size)

    def _stream(self, pictures: Iterable[Picture], size: int) -> Iterator[tuple[Picture, Caption | Skipped]]:
        threads = reading_threads()
        # The pictures of the next batch are prepared while the model is busy with this one.
        prepared = in_order_ahead(self._prepare_or_skip, pictures, ahead=max(size, threads), threads=threads)
        with contextlib.closing(prepared):
            for _, (done, error) in self.lanes.in_order(self._finished, self._batches(prepared, size)):
                yield from done
                if error is not None:
                    raise error

    def _batches(
        self, prepared: Iterable[tuple[Picture, Prepared | Skipped]], size: int
    ) -> Iterator[list[tuple[Picture, Prepared | Skipped]]]:
        """Inputs with as many good pictures among them as go through the model together."""
        waiting: list[tuple[Picture, Prepared | Skipped]] = []
        good = 0
        for picture, ready in prepared:
            waiting.append((picture, ready))
            good += isinstance(ready, Prepared)
            if good >= min(size, self._fitting) or not good or len(waiting) >= _MOST_WAITING * size:
                yield waiting
                waiting, good = [], 0
        if waiting:
            yield waiting

    def _finished(
        self, waiting: Sequence[tuple[Picture, Prepared | Skipped]]
    ) -> tuple[list[tuple[Picture, Caption | Skipped]], Exception | None]:
        """A batch as far as it can be captioned, and why it goes no further."""
        done: list[tuple[Picture, Caption | Skipped]] = []
        try:
            done.extend(self._finish(waiting))
        except Exception as error:
            return done, error
        return done, None

    def _finish(
        self, waiting: Sequence[tuple[Picture, Prepared | Skipped]]
    ) -> Iterator[tuple[Picture, Caption | Skipped]]:
        """Generate for those of a batch that could be prepared; give all of them back in order."""
        captions = self.generate([prepared for _, prepared in waiting if isinstance(prepared, Prepared)])
        for picture, prepared in waiting:
            if isinstance(prepared, Skipped):
                yield picture, prepared
            else:
                yield picture, self.ruled_or_skipped(next(captions), prepared.prompt)

    def ruled_or_skipped(self, caption: Caption, prompt: str) -> Caption | Skipped:
        """As `ruled`, with the reason in place of an error."""
        try:
            return self.ruled(caption, prompt)
        except CaptionError as error:
            return Skipped(error.code, str(error))

    def ruled(self, caption: Caption, prompt: str) -> Caption:
        """A caption after the rules for its text.

        Args:
            caption: of `generate`.
            prompt: that it went on from.

        Raises:
            CaptionError: it breaks a rule.
        """
        return self.text.applied(caption, given=prompt)

    def _prepare_or_skip(self, picture: PictureLike | PictureRow) -> Prepared | Skipped:
        try:
            return self.prepare(picture)
        except (ImageError, CaptionError) as error:
            return Skipped(error.code, str(error))

    def prepare(self, picture: object) -> Prepared:
        """Read or fetch one picture, and fill in its prompt.

        Args:
            picture: as for a call.

        Raises:
            ImageError: it cannot be used.
            CaptionError: it has no prompt, or too long a one.
        """
        row = picture if isinstance(picture, PictureRow) else PictureRow(picture)
        prompt = ""
        if self.prompt is not None:
            if not isinstance(picture, PictureRow):
                self.prompt.check([])
            prompt = self.prompt.fill(row.columns)
            self.model.check_prompt(prompt)
        return Prepared(self._open(row.picture), prompt)

    def _open(self, picture: Any) -> torch.Tensor:
        """One picture `[3, height, width]`."""
        if isinstance(picture, str) and picture.lower().startswith(("http://", "https://")):
            picture = fetch(picture)
        # What is no picture at all is an ImageError of `open_picture`.
        return self.model.open(picture, max_pixels=self.max_pixels, exact_decode=self.exact_decode)

    def generate(self, prepared: Sequence[Prepared]) -> Iterator[Caption]:
        """Caption pictures together, in as many batches as the memory asks for.

        Args:
            prepared: of `prepare`.

        Yields:
            The caption of each one, in order, before the rules for its text.

        Raises:
            LeyendaError: the memory is too small for one of them.
        """
        done = 0
        while done < len(prepared):
            part = prepared[done : done + self._fitting]
            try:
                pixels = torch.stack([one.pixels for one in part])
                prompts = [one.prompt for one in part]
                captions = self.model.generate(pixels, self.settings, text=self.text, prompts=prompts)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if len(part) == 1:
                    raise self._too_small("one picture", self._remedy()) from error
                captions = None
            if captions is None:  # here the error, and with it all that it held in memory, is gone
                self._take_fewer(len(part))
                continue
            yield from captions
            done += len(part)

    def _take_fewer(self, did_not_fit: int) -> None:
        release(self.model.device)
        with self._learning:
            if self._fitting <= did_not_fit // 2:
                return  # a batch that is captioned at the same time has found that out
            self._fitting = did_not_fit // 2
            told = self._too_small(
                f"{did_not_fit} pictures together", f"Going on with {self._fitting} at a time."
            )
            self._talk(str(told))

    def _too_small(self, what: str, then: str) -> LeyendaError:
        device = self.model.device
        owner = "this machine" if device.type == "cpu" else device
        return LeyendaError(f"The memory of {owner} is too small for {what}.", then)

    def _remedy(self) -> str:
        if self.settings.beams > 1:
            return "Use fewer beams (--beams)."
        return "Use a smaller model." if self.model.device.type == "cpu" else "Use --device cpu."


def say(line: str) -> None:
    """Print a line on standard error without tearing a progress bar."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def batch_size_on(device: str, wanted: int | None = None) -> int:
    """How many pictures go through the model together.

    A GPU waits for Python between the small products of a step, however many pictures share it; a CPU does not.

    Args:
        device: its kind: `cpu`, `cuda`, `mps`.
        wanted: what somebody said; None takes what suits the device.

    Raises:
        LeyendaError: `wanted` is no whole number from 1 up.

    >>> batch_size_on("cpu"), batch_size_on("cuda"), batch_size_on("cuda", 3)
    (16, 256, 3)
    """
    if wanted is not None:
        return check_batch_size(wanted)
    return _FOR_A_GPU if device == "cuda" else _FOR_A_CPU


def check_batch_size(batch_size: int) -> int:
    """The batch size, if it is a whole number from 1 up.

    Raises:
        LeyendaError: it is not.
    """
    return _from_one(batch_size, "The batch size")


def check_max_pixels(max_pixels: int) -> int:
    """The largest number of pixels, if it is a whole number from 1 up.

    Raises:
        LeyendaError: it is not.
    """
    return _from_one(max_pixels, "max_pixels")


def _from_one(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise LeyendaError(f"{name} is {value!r}.", "It must be a whole number from 1 up.")
    return value
