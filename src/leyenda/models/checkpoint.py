"""A captioning model with everything that belongs to it: weights, tokenizer, picture preparation, family."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from leyenda.errors import CaptionError, LeyendaError, ModelError
from leyenda.images import DEFAULT_MAX_PIXELS, PictureLike
from leyenda.images.model_input import ModelInput
from leyenda.images.preparation import Preparation, preparation_of
from leyenda.models.banned_words import BannedWords
from leyenda.models.families import Family
from leyenda.models.generation import Generated, GenerationSettings, generate, search, search_suits
from leyenda.models.normalization import normalized
from leyenda.models.prompts import Prompts, alike
from leyenda.models.search import NO_DEMANDS, Demands
from leyenda.models.vocabulary import as_written, token_ids
from leyenda.records import Caption
from leyenda.text_control import TextRules


@dataclass(slots=True)
class CaptioningModel:
    """A checkpoint ready to caption or to be trained.

    Args:
        name: what the user called it: a folder, a hub id, `demo`.
        model: the `transformers` model.
        processor: what `AutoProcessor` gives, saved beside the weights; None where the family has none.
        tokenizer: words to ids and back.
        image_processor: pictures to pixel values.
        family: what is particular to the architecture.
    """

    name: str
    model: Any
    processor: Any
    tokenizer: Any
    image_processor: Any
    family: Family
    preparation: Preparation | None = field(init=False)
    """Our own way to do what `image_processor` does; None where it has settings that ours does not know."""
    _bans: dict[tuple[str, ...], BannedWords] = field(init=False, repr=False)
    """By the words, so that a vocabulary is gone through once."""

    def __post_init__(self) -> None:
        self.preparation = preparation_of(self.image_processor.to_dict())
        self._bans = {}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return torch.device(self.model.device)

    @property
    def max_caption_tokens(self) -> int:
        """How many tokens a caption can have, special tokens included."""
        limit = self.family.max_caption_tokens(self.model)
        return min(limit, int(self.tokenizer.model_max_length))

    @property
    def max_new_tokens(self) -> int:
        """How many tokens `generate` can write before positions run out, end token included."""
        return self.max_caption_tokens - self.family.prompt_length(self.model)

    @property
    def searches_itself(self) -> bool:
        """Whether `generate` is leyenda's own search, which several threads can do at the same time."""
        return self.family.searches(self.model) and search_suits(self.model.generation_config)

    def check_length(self, settings: GenerationSettings) -> None:
        """See that captions as long as asked for are possible.

        Raises:
            LeyendaError: `min_length` is more than the model can write.
        """
        if settings.min_length > self.max_new_tokens:
            raise LeyendaError(
                f"min_length is {settings.min_length}, but {self.name!r} writes at most "
                f"{self.max_new_tokens} tokens.",
                f"Ask for a min_length of at most {self.max_new_tokens}.",
            )

    @property
    def input(self) -> ModelInput:
        """What is done to a picture before the model sees it, for another process too."""
        return ModelInput(self.preparation, None if self.preparation else self.image_processor)

    def pixel_values(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Pictures as the checkpoint's own image processor prepares them.

        Args:
            pictures: upright RGB pictures of any size (`leyenda.images.open_picture`).

        Returns:
            Float32 tensor `[len(pictures), 3, height, width]` on the CPU, resized, cropped and normalised.

        Raises:
            ImageError: a picture so long and thin that it cannot be resized.
        """
        return self.normalized(
            torch.stack([torch.from_numpy(self.input.prepare(picture)) for picture in pictures])
        )

    def open(
        self, source: PictureLike, *, max_pixels: int = DEFAULT_MAX_PIXELS, exact_decode: bool = False
    ) -> torch.Tensor:
        """One picture, from its file to what the model takes.

        Args:
            source: as for `leyenda.images.open_picture`.
            max_pixels: most pixels (width x height) to decode.
            exact_decode: decode every pixel of a large JPEG, instead of at a smaller scale that keeps twice what the
                model sees.

        Returns:
            Tensor `[3, height, width]` on the CPU: uint8 wherever this checkpoint's preparation is known, which
            takes a quarter of the memory, float32 otherwise. `normalized` and `generate` take both.

        Raises:
            ImageError: the picture cannot be used.
        """
        opened = self.input.open(source, max_pixels=max_pixels, exact_decode=exact_decode)
        return torch.from_numpy(opened)

    def normalized(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures of `open` in the numbers that the model takes.

        Args:
            pixels: tensor `[batch, 3, height, width]`, on any device.

        Returns:
            Float32 tensor of this shape, on the same device.
        """
        if pixels.dtype != torch.uint8:
            return pixels
        assert self.preparation is not None
        return normalized(pixels, self.preparation.table())

    def generate(
        self,
        pixel_values: torch.Tensor | None = None,
        settings: GenerationSettings | None = None,
        *,
        image_features: torch.Tensor | None = None,
        text: TextRules | None = None,
        prompts: Sequence[str] | None = None,
    ) -> list[Caption]:
        """One caption per picture.

        Args:
            pixel_values: float tensor `[batch, 3, height, width]`, or uint8 as of `open`, on any device.
            settings: how to search; `max_length` is bounded by the model's positions, and counts no prompt.
            image_features: float tensor `[batch, positions, width]` of `image_features`, instead of pixels.
            text: its banned words are not written, and of several beams the best that the rules let pass is taken.
                Captions come as the model wrote them: it is `text.applied` that changes or refuses them.
            prompts: for each picture, words that its caption begins with and goes on from; may be empty.

        Returns:
            Captions with their prompts in front; ids and confidence are of what the model wrote behind them.

        Raises:
            LeyendaError: `min_length` is more than the model can write, or it takes no prompts.
            CaptionError: a prompt leaves no place for a caption.
        """
        settings, text = settings or GenerationSettings(), text or TextRules()
        self.check_length(settings)
        name, images = self._images(pixel_values, image_features)
        if prompts is not None and len(prompts) != len(images):
            raise ValueError(f"{len(images)} pictures with {len(prompts)} prompts.")
        given = self._prompts(prompts or [""] * len(images))
        limits = [min(settings.max_length, self.max_new_tokens - len(ids)) for ids in given.ids]
        captions: dict[int, Caption] = {}
        for group in alike(limits):
            within, part = replace(settings, max_length=limits[group[0]]), given.part(group)
            some = images if len(group) == len(images) else images[group]
            for place, output in enumerate(self._written(name, some, within, part, text)):
                words = part.caption(self.tokenizer, place, output.token_ids)
                captions[group[place]] = Caption(words, output.confidence, self.name, output.token_ids)
        return [captions[picture] for picture in range(len(images))]

    def draw(
        self,
        draws: int,
        settings: GenerationSettings,
        *,
        pixel_values: torch.Tensor | None = None,
        image_features: torch.Tensor | None = None,
    ) -> list[list[Caption]]:
        """Several captions of each picture, each drawn at random by itself; the picture is encoded once for all.

        Args:
            draws: captions of each picture. How many they are changes none of them, if they are at least 2.
            settings: how to sample; `max_length` is bounded by the model's positions.
            pixel_values: as for `generate`.
            image_features: as for `generate`.

        Returns:
            For each picture its captions, in the order of the draws.
        """
        assert settings.sample, "Captions that are not drawn at random would all be the same."
        name, images = self._images(pixel_values, image_features)
        settings = replace(settings, max_length=min(settings.max_length, self.max_new_tokens))
        nothing = Prompts(("",) * len(images), ((),) * len(images))
        captions = [
            Caption(self.decode(one.token_ids), one.confidence, self.name, one.token_ids)
            for one in self._written(name, images, settings, nothing, TextRules(), draws)
        ]
        return [captions[first : first + draws] for first in range(0, len(captions), draws)]

    def _written(
        self,
        name: str,
        images: torch.Tensor,
        settings: GenerationSettings,
        prompts: Prompts,
        text: TextRules,
        draws: int = 1,
    ) -> list[Generated]:
        """What the model writes for pictures that share a limit: so many captions of each, one behind the other."""
        config, ends = self.model.generation_config, self.family.end_token_ids(self.model)
        with torch.inference_mode():
            if self.searches_itself:
                given = prompts.ids if prompts else ()
                decoder = self.family.decoder(self.model, {name: images}, settings.max_length, given)
                return search(decoder, images, settings, config, ends, self._demands(text, prompts), draws)
            if name != "pixel_values":
                raise ModelError(
                    f"{self.name!r} has generation settings that only work from pixels.",
                    "Train without --freeze image_encoder.",
                )
            written: dict[int, list[Generated]] = {}
            for group in alike([len(ids) for ids in prompts.ids]):
                outputs = iter(self._by_generate(images[group], settings, prompts.part(group), text, draws))
                written |= {picture: list(itertools.islice(outputs, draws)) for picture in group}
        return [one for picture in range(len(images)) for one in written[picture]]

    def _by_generate(
        self,
        pixel_values: torch.Tensor,
        settings: GenerationSettings,
        prompts: Prompts,
        text: TextRules,
        draws: int,
    ) -> list[Generated]:
        """What the model's own `generate` writes behind prompts of one length."""
        with quiet():
            return generate(
                self.model,
                pixel_values,
                settings,
                self.family.prompt_length(self.model) + len(prompts.ids[0]),
                self.family.end_token_ids(self.model),
                self._demands(text, prompts),
                inputs=self.family.prompt_inputs(self.model, prompts.ids) if prompts else {},
                next_logits=self.family.next_logits(self.model, pixel_values),
                draws=draws,
            )

    def _demands(self, text: TextRules, prompts: Prompts) -> Demands:
        """What the search is to see to."""
        if not text:
            return NO_DEMANDS
        if text.ban and text.ban not in self._bans:
            self._bans[text.ban] = BannedWords(self.tokenizer, text.ban)

        def accept(picture: int, written: Sequence[int]) -> bool:
            words = prompts.caption(self.tokenizer, picture, written)
            return text.accept(words, given=prompts.texts[picture])

        return Demands(self._bans.get(text.ban), prompts.ids, accept)

    def _prompts(self, texts: Sequence[str]) -> Prompts:
        prompts = Prompts.of(self.tokenizer, texts)
        if prompts:
            self.check_prompts()
        for text, ids in zip(prompts.texts, prompts.ids, strict=True):
            if len(ids) >= self.max_new_tokens:
                raise CaptionError(
                    "long_prompt",
                    f"The prompt {text[:60]!r} is {len(ids)} tokens long, and {self.name!r} has place for "
                    f"{self.max_new_tokens}, the caption included.",
                    "Write a shorter one.",
                )
        return prompts

    def check_prompt(self, text: str) -> None:
        """See that a caption can go on from words.

        Raises:
            LeyendaError: not with this kind of model.
            CaptionError: they leave no place for a caption.
        """
        self._prompts([text])

    def check_prompts(self) -> None:
        """See that captions can go on from words.

        Raises:
            LeyendaError: not with this kind of model.
        """
        if not self.family.takes_prompts:
            raise LeyendaError(
                f"{self.name!r} is a model of the kind {self.model.config.model_type!r}, which takes no prompt.",
                "Leave the prompt out, or choose a GIT or BLIP model.",
            )

    def as_written(self, text: TextRules) -> TextRules:
        """Rules with their words as this model writes them: without accents, say.

        Raises:
            LeyendaError: the model cannot write a required word.
        """
        for word in text.require:
            if self.tokenizer.unk_token_id in token_ids(self.tokenizer, word):
                raise LeyendaError(
                    f"{self.name!r} cannot write {word!r}: its vocabulary lacks some of its letters.",
                    "Leave out --require for this word.",
                )

        def respelled(words: Sequence[str]) -> tuple[str, ...]:
            return tuple(as_written(self.tokenizer, word) for word in words)

        return replace(text, ban=respelled(text.ban), require=respelled(text.require))

    @torch.inference_mode()
    def image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """What the image encoder makes of pictures, for families that take it instead of pixels.

        Args:
            pixel_values: float tensor `[batch, 3, height, width]`, on any device.

        Returns:
            Tensor `[batch, positions, width]` on the model's device, in its weights' number format.
        """
        _, images = self._images(pixel_values, None)
        return self.family.image_features(self.model, images)

    def _images(
        self, pixel_values: torch.Tensor | None, image_features: torch.Tensor | None
    ) -> tuple[str, torch.Tensor]:
        """The one that is given, under its name, where and as the model needs it."""
        if (pixel_values is None) == (image_features is None):
            raise ValueError("Give either pixel_values or image_features.")
        name, images = ("pixel_values", pixel_values)
        if image_features is not None:
            name, images = ("image_features", image_features)
        assert images is not None
        images = self.normalized(images.to(device=self.device))
        return name, images.to(dtype=self.model.dtype)

    def decode(self, token_ids: Sequence[int]) -> str:
        """Ids as text, without special tokens."""
        return str(self.tokenizer.decode(list(token_ids), skip_special_tokens=True)).strip()

    def save(self, folder: Path | str) -> None:
        """Write a plain Hugging Face checkpoint: weights (safetensors), configuration, processor, tokenizer.

        Raises:
            OSError: the folder cannot be written to or the disk is full.
        """
        with quiet():
            self.model.save_pretrained(folder)
            for part in [self.processor] if self.processor else [self.image_processor, self.tokenizer]:
                part.save_pretrained(folder)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep `transformers`' own progress bars and notices away from our users; errors still raise."""
    import transformers

    level = transformers.utils.logging.get_verbosity()
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()
