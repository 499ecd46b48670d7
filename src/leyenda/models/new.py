"""New models of a named size, for small domains and for tests: `--from-scratch SIZE`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from leyenda.errors import ModelError, near
from leyenda.models.checkpoint import CaptioningModel, quiet
from leyenda.models.git import Git
from leyenda.models.precision import choose_device
from leyenda.models.tokenizer import train_tokenizer

_WIDE = 256
"""Width from which attention heads are 64 wide as usual; narrower models get more heads, 32 wide."""


def _head_width(width: int) -> int:
    return 64 if width >= _WIDE else 32


def _heads(width: int) -> int:
    return max(1, width // _head_width(width))


@dataclass(frozen=True, slots=True)
class Size:
    """The shape of a new GIT model.

    Args:
        image_size: side of the square picture it looks at, in pixels.
        patch_size: side of a patch, in pixels.
        vision_width: hidden size of the image encoder.
        vision_layers: layers of the image encoder.
        text_width: hidden size of the decoder.
        text_layers: layers of the decoder.
        vocabulary: most word pieces.
        positions: most tokens of a caption.

    Raises:
        ModelError: numbers with which no model can be made.
    """

    image_size: int
    patch_size: int
    vision_width: int
    vision_layers: int
    text_width: int
    text_layers: int
    vocabulary: int = 8000
    positions: int = 128

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ModelError(
                    f"The {field.name} of a model is {value!r}.", "It must be a whole number from 1 up."
                )
        if self.patch_size > self.image_size:
            raise ModelError(
                f"Patches of {self.patch_size} pixels do not fit into pictures of {self.image_size}.",
                "Make patch_size at most image_size.",
            )
        for name in ("vision_width", "text_width"):
            width = getattr(self, name)
            if width % _heads(width):
                raise ModelError(
                    f"The {name} of a model is {width}, which cannot be shared by {_heads(width)} heads.",
                    f"Make it a multiple of {_head_width(width)}.",
                )


SIZES: Mapping[str, Size] = {
    "tiny": Size(32, 16, 32, 2, 32, 2, vocabulary=600, positions=64),
    "small": Size(96, 16, 160, 4, 128, 3, positions=64),
    "medium": Size(160, 16, 320, 6, 320, 6),
    "base": Size(224, 16, 768, 12, 768, 6, vocabulary=30522, positions=1024),
}
"""`tiny` is for tests, `small` and `medium` for small domains, `base` is shaped as `microsoft/git-base`."""


def create(
    size: str | Size,
    captions: Iterable[str],
    *,
    seed: int = 0,
    tokenizer: Any = None,
    device: str | None = None,
    fast: bool = True,
) -> CaptioningModel:
    """A new GIT model with random weights and a tokenizer trained on the captions.

    Args:
        size: a name in `SIZES`, a `Size`, or the path of a JSON file with the fields of `Size`.
        captions: texts to train the tokenizer on; unused when `tokenizer` is given.
        seed: of the weights.
        tokenizer: a tokenizer to use instead of a new one.
        device: as for `leyenda.models.load`.
        fast: as for `leyenda.models.load`.

    Raises:
        ModelError: unknown size, or a JSON file that does not describe one.
    """
    from transformers import GitConfig, GitForCausalLM, GitProcessor

    shape = size if isinstance(size, Size) else _size_named(size)
    tokenizer = tokenizer or train_tokenizer(captions, shape.vocabulary)
    config = GitConfig(
        vision_config={
            "hidden_size": shape.vision_width,
            "intermediate_size": shape.vision_width * 4,
            "num_hidden_layers": shape.vision_layers,
            "num_attention_heads": _heads(shape.vision_width),
            "image_size": shape.image_size,
            "patch_size": shape.patch_size,
            "initializer_range": initial_deviation(shape.vision_width),
        },
        vocab_size=len(tokenizer),
        hidden_size=shape.text_width,
        intermediate_size=shape.text_width * 4,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=_heads(shape.text_width),
        max_position_embeddings=shape.positions,
        initializer_range=initial_deviation(shape.text_width),
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    tokenizer.model_max_length = shape.positions
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(seed)
        model = GitForCausalLM(config)
        start_with_a_map(model)
    image_processor = _image_processor(shape.image_size)
    family = Git()
    if fast:
        family.make_fast(model)
    model.to(choose_device(device)).eval()
    processor = GitProcessor(image_processor, tokenizer)
    return CaptioningModel("new model", model, processor, tokenizer, image_processor, family)


def initial_deviation(width: int) -> float:
    """Standard deviation of a new layer's weights: a little less than one over the root of its width.

    The usual 0.02 suits a width of 768 and more; layers much narrower would start almost silent with it.

    >>> round(initial_deviation(192), 3)
    0.065
    """
    return 0.9 / math.sqrt(width)


def start_with_a_map(model: Any) -> None:
    """Give the image encoder an idea of where each patch lies before it has seen anything.

    Sine and cosine of row and column replace the random position embeddings (`[1 + patches, width]`, the first
    for the whole picture), as in Beyer et al. 2022, "Better plain ViT baselines for ImageNet-1k",
    arXiv:2205.01580. With few pictures to learn from, that saves a good part of them.

    Args:
        model: a GIT model; changed in place.
    """
    embeddings = model.git.image_encoder.vision_model.embeddings
    side, width = math.isqrt(embeddings.num_patches), embeddings.embed_dim
    waves = 100.0 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * (math.tau / side) * waves  # [side, width / 4]
    along = torch.cat([angles.sin(), angles.cos()], dim=1)  # [side, width / 2]
    rows = along[:, None].expand(side, side, -1)
    columns = along[None].expand(side, side, -1)
    chart = 0.3 * torch.cat([rows, columns], dim=-1).flatten(0, 1)
    with torch.no_grad():
        embeddings.position_embedding.weight[1:, : chart.shape[1]] = chart


def _image_processor(image_size: int) -> Any:
    """As GIT prepares: shorter side to `image_size`, centre crop, CLIP's mean and deviation."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(
        size={"shortest_edge": image_size}, crop_size={"height": image_size, "width": image_size}
    )


def _size_named(name: str) -> Size:
    if name in SIZES:
        return SIZES[name]
    path = Path(name)
    if path.suffix == ".json" and path.is_file():
        return _size_in(path)
    hint = near(name, SIZES) or "Sizes are: " + ", ".join(SIZES) + ", or a .json file with the fields of one."
    raise ModelError(f"There is no model size {name!r}.", hint)


def _size_in(path: Path) -> Size:
    try:
        numbers = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{str(path)!r} does not describe a model size, for it is not JSON.", "Mend it, or name a size."
        ) from error
    needed = [field.name for field in fields(Size) if field.default is MISSING]
    others = [field.name for field in fields(Size) if field.default is not MISSING]
    if not isinstance(numbers, dict) or not {*needed} <= numbers.keys() <= {*needed, *others}:
        raise ModelError(
            f"{str(path)!r} does not describe a model size.",
            f"Its fields are: {', '.join(needed)}; and if you like {', '.join(others)}.",
        )
    return Size(**numbers)
