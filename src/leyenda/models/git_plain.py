"""A GIT checkpoint read for captioning alone, without `transformers`, whose import takes longer than all the rest.

Only what is certain to mean the same is read here. Any entry of the checkpoint's files that this module does not know,
and any damage, gives None: then `transformers` reads the checkpoint, or says what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from leyenda.images.preparation import preparation_of
from leyenda.models.activations import QuickGelu
from leyenda.models.generation import search_suits
from leyenda.models.git_network import GitNetwork

_ACTIVATIONS = {"gelu": nn.GELU, "quick_gelu": QuickGelu}

_VISION_ENTRIES = frozenset(
    {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_channels"}
    | {"image_size", "patch_size", "hidden_act", "layer_norm_eps"}
)

_TEXT_ENTRIES = frozenset(
    {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"}
    | {
        "hidden_act",
        "max_position_embeddings",
        "layer_norm_eps",
        "tie_word_embeddings",
        "num_image_with_embedding",
    }
    | {"vision_config"}
)

_SPECIAL_TOKENS = ("cls_token", "mask_token", "pad_token", "sep_token", "unk_token")

_TOKENIZER_ENTRIES = frozenset(
    {"backend", "do_lower_case", "is_local", "local_files_only", "model_max_length", "processor_class"}
    | {"strip_accents", "tokenize_chinese_chars", "tokenizer_class", *_SPECIAL_TOKENS}
)


class PlainGit(GitNetwork, nn.Module):
    """The tree of a `transformers.GitForCausalLM`, name for name, made of torch's own modules. It only captions.

    Args:
        config: the checkpoint's `config.json`.
        generation_config: its generation settings.
        folder: where it lies.
    """

    def __init__(
        self, config: SimpleNamespace, generation_config: PlainGenerationConfig, folder: Path
    ) -> None:
        super().__init__()
        self.config = config
        self.generation_config = generation_config
        self._folder = folder
        vision = config.vision_config
        self.git = nn.Module()
        self.git.embeddings = _Embeddings(config)
        self.git.image_encoder = nn.Module()
        self.git.image_encoder.vision_model = tower = nn.Module()
        tower.embeddings = _PatchEmbeddings(vision)
        tower.pre_layrnorm = nn.LayerNorm(vision.hidden_size, eps=vision.layer_norm_eps)
        tower.encoder = nn.Module()
        tower.encoder.layers = nn.ModuleList(_VisionLayer(vision) for _ in range(vision.num_hidden_layers))
        tower.post_layernorm = nn.LayerNorm(vision.hidden_size, eps=vision.layer_norm_eps)
        self.git.encoder = nn.Module()
        self.git.encoder.layer = nn.ModuleList(_TextLayer(config) for _ in range(config.num_hidden_layers))
        self.git.visual_projection = _Projection(config)
        self.output = nn.Linear(config.hidden_size, config.vocab_size)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return torch.device(self.git.embeddings.word_embeddings.weight.device)

    @property
    def dtype(self) -> torch.dtype:
        """Number format of what is no matrix product: that of the pixels it takes."""
        dtype: torch.dtype = self.git.embeddings.word_embeddings.weight.dtype
        return dtype

    def get_output_embeddings(self) -> nn.Linear:
        """The layer that gives each word its logit."""
        layer: nn.Linear = self.output
        return layer

    def save_pretrained(self, folder: Path | str) -> None:
        """Write the checkpoint again, as `transformers` writes it."""
        from transformers import GitForCausalLM

        GitForCausalLM.from_pretrained(self._folder, dtype=self.dtype).save_pretrained(folder)


class PlainGenerationConfig(SimpleNamespace):
    """The entries of a `generation_config.json`; those that are not there are None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def to_diff_dict(self) -> dict[str, Any]:
        """The entries that say something."""
        return {name: value for name, value in vars(self).items() if value not in (None, False)}


def _embedding(entries: int, width: int) -> nn.Embedding:
    # Made from a weight, it draws no random numbers; on a meta device that would load torch's compiler.
    made: nn.Embedding = nn.Embedding.from_pretrained(torch.empty(entries, width))  # type: ignore[no-untyped-call]
    return made


class _Embeddings(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.word_embeddings = _embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = _embedding(config.max_position_embeddings, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        past_key_values_length: int = 0,
    ) -> torch.Tensor:
        """Int64 `[rows, length]` to `[rows, length, width]`."""
        places: slice | torch.Tensor = slice(
            past_key_values_length, past_key_values_length + input_ids.shape[1]
        )
        if position_ids is not None:
            places = position_ids
        states: torch.Tensor = self.LayerNorm(
            self.word_embeddings(input_ids) + self.position_embeddings.weight[places]
        )
        return states


class _PatchEmbeddings(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(config.hidden_size))
        patches = config.patch_size
        self.patch_embedding = nn.Conv2d(
            config.num_channels, config.hidden_size, patches, patches, bias=False
        )
        positions = (config.image_size // patches) ** 2 + 1
        self.position_embedding = _embedding(positions, config.hidden_size)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """`[images, 3, height, width]` to `[images, positions, width]`."""
        patches = (
            self.patch_embedding(pixel_values.to(self.patch_embedding.weight.dtype))
            .flatten(2)
            .transpose(1, 2)
        )
        whole = self.class_embedding.expand(len(patches), 1, -1)
        return torch.cat([whole, patches], dim=1) + self.position_embedding.weight


class _VisionLayer(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        width = config.hidden_size
        self.self_attn = _VisionAttention(config)
        self.layer_norm1 = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.mlp = _VisionFeedForward(config)
        self.layer_norm2 = nn.LayerNorm(width, eps=config.layer_norm_eps)


class _VisionAttention(nn.Module):
    """Its parts; `git_network` puts them together."""

    dropout = 0.0

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        width = config.hidden_size
        self.num_heads = config.num_attention_heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)


class _VisionFeedForward(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.activation_fn = _ACTIVATIONS[config.hidden_act]()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`[images, positions, width]` to the same."""
        new: torch.Tensor = self.fc2(self.activation_fn(self.fc1(states)))
        return new


class _TextLayer(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.attention = nn.Module()
        self.attention.self = _TextAttention(config)
        self.attention.output = _AddAndNorm(config.hidden_size, config)
        self.intermediate = _Widening(config)
        self.output = _AddAndNorm(config.intermediate_size, config)


class _TextAttention(nn.Module):
    """Its parts; `git_network` puts them together."""

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        width = config.hidden_size
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = width // config.num_attention_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)


class _Widening(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = _ACTIVATIONS[config.hidden_act]()


class _AddAndNorm(nn.Module):
    def __init__(self, width: int, config: SimpleNamespace) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


class _Projection(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        vision = config.vision_config
        self.visual_projection = nn.Sequential(
            nn.Linear(vision.hidden_size, config.hidden_size),
            nn.LayerNorm(config.hidden_size, eps=vision.layer_norm_eps),
        )


class PlainTokenizer:
    """Ids back to words.

    Args:
        tokenizer: a `tokenizers.Tokenizer`.
        model_max_length: most tokens of a caption.
    """

    def __init__(self, tokenizer: Any, model_max_length: int) -> None:
        self._tokenizer = tokenizer
        self.model_max_length = model_max_length

    @property
    def backend_tokenizer(self) -> Any:
        """The `tokenizers.Tokenizer`."""
        return self._tokenizer

    @property
    def all_special_ids(self) -> list[int]:
        """Ids that are no words."""
        added = self._tokenizer.get_added_tokens_decoder()
        return [token for token, entry in added.items() if entry.special]

    @property
    def unk_token_id(self) -> int | None:
        """The id of what the vocabulary does not have."""
        name: str = self._tokenizer.model.unk_token
        return None if name is None else int(self._tokenizer.token_to_id(name))

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        """Text as ids."""
        encoded = self._tokenizer.encode(text, add_special_tokens=add_special_tokens)
        return {"input_ids": list(encoded.ids)}

    def decode(self, token_ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """Ids as text."""
        return str(self._tokenizer.decode(list(token_ids), skip_special_tokens=skip_special_tokens))


class PlainImageProcessor:
    """What `leyenda.images.preparation` needs to know of an image processor.

    Args:
        settings: the entries of the checkpoint's `image_processor`.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)

    def to_dict(self) -> dict[str, Any]:
        """All its settings."""
        return dict(self._settings)


class PlainProcessor:
    """Tokenizer and image processor as they are saved.

    Args:
        tokenizer: ids back to words.
        image_processor: how pictures are prepared.
        folder: where both were read.
    """

    def __init__(self, tokenizer: PlainTokenizer, image_processor: PlainImageProcessor, folder: Path) -> None:
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self._folder = folder

    def save_pretrained(self, folder: Path | str) -> None:
        """Write both again, as `transformers` writes them."""
        from transformers import AutoProcessor

        AutoProcessor.from_pretrained(self._folder).save_pretrained(folder)


def read(folder: Path) -> tuple[PlainGit, PlainProcessor] | None:
    """A GIT checkpoint of float32 weights; None when `transformers` must read it.

    Args:
        folder: holds `config.json`.
    """
    files = {}
    for name in ("config", "generation_config", "processor_config", "tokenizer_config", "tokenizer"):
        try:
            files[name] = json.loads((folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(files[name], dict):
            return None
    tokenizer = _tokenizer(files["tokenizer_config"], files["tokenizer"])
    image_processor = _image_processor(files["processor_config"])
    if tokenizer is None or image_processor is None:
        return None
    model = _model(files["config"], files["generation_config"], folder)
    return None if model is None else (model, PlainProcessor(tokenizer, image_processor, folder))


def _model(config: dict[str, Any], generation_config: dict[str, Any], folder: Path) -> PlainGit | None:
    vision = config.get("vision_config")
    if config.get("model_type") != "git" or "quantization_config" in config:
        return None
    if (
        not isinstance(vision, dict)
        or not vision.keys() >= _VISION_ENTRIES
        or not config.keys() >= _TEXT_ENTRIES
    ):
        return None
    settings = PlainGenerationConfig(**generation_config)
    usual = (
        isinstance(vision["image_size"], int)
        and isinstance(vision["patch_size"], int)
        and {config["hidden_act"], vision["hidden_act"]} <= _ACTIVATIONS.keys()
        and config["num_image_with_embedding"] is None
        and isinstance(settings.bos_token_id, int)
        and search_suits(settings)
    )
    if not usual:
        return None
    shape = SimpleNamespace(**config)
    shape.vision_config = SimpleNamespace(**vision)
    with torch.device("meta"):
        model = PlainGit(shape, settings, folder)
    return model if _fill(model, folder, tied=bool(config["tie_word_embeddings"])) else None


def _fill(model: PlainGit, folder: Path, tied: bool) -> bool:
    """Give the model its weights; False when the file does not have just those."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError):
        return False
    if tied:
        weights.setdefault("output.weight", weights.get("git.embeddings.word_embeddings.weight"))
    expected = {name: weight.shape for name, weight in model.state_dict().items()}
    if {name: getattr(weight, "shape", None) for name, weight in weights.items()} != expected:
        return False
    model.load_state_dict({name: weight.float() for name, weight in weights.items()}, assign=True)
    return True


def _tokenizer(config: dict[str, Any], words: dict[str, Any]) -> PlainTokenizer | None:
    from tokenizers import Tokenizer

    special = {config.get(name) for name in _SPECIAL_TOKENS}
    added = {entry["content"] for entry in words.get("added_tokens", []) if entry.get("special")}
    usual = (
        config.get("tokenizer_class") == "BertTokenizer"
        and config.keys() <= _TOKENIZER_ENTRIES
        and isinstance(config.get("model_max_length"), int)
        and words.get("decoder") == {"type": "WordPiece", "prefix": "##", "cleanup": True}
        and added == special
        and len(words.get("model", {}).get("vocab", ())) > len(special)
    )
    return (
        PlainTokenizer(Tokenizer.from_str(json.dumps(words)), config["model_max_length"]) if usual else None
    )


def _image_processor(config: dict[str, Any]) -> PlainImageProcessor | None:
    settings = config.get("image_processor")
    if not isinstance(settings, dict) or preparation_of(settings) is None:
        return None
    return PlainImageProcessor(settings)
