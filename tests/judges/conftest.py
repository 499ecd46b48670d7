"""Tiny checkpoints of what judges read with, written by `transformers` itself."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
import torch

WIDTH = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
MOST_TOKENS = 48


def letters_tokenizer(begin: str, end: str, *, enclosed: bool):
    """One token per letter, lower-cased, with a begin and an end token around each text if `enclosed`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = list(dict.fromkeys(["[PAD]", "[UNK]", begin, end]))
    vocabulary = {
        piece: place for place, piece in enumerate([*special, *string.ascii_lowercase, " ", ".", "!"])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    if enclosed:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A {end}", special_tokens=[(begin, vocabulary[begin]), (end, vocabulary[end])]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        eos_token=end,
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_max_length=MOST_TOKENS,
        clean_up_tokenization_spaces=False,
    )


def written(folder: Path, *parts) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = letters_tokenizer("<s>", "</s>", enclosed=True)
    torch.manual_seed(10)
    config = CLIPConfig(
        text_config=WIDTH
        | {
            "vocab_size": len(tokenizer),
            "max_position_embeddings": MOST_TOKENS,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=WIDTH | {"image_size": 32, "patch_size": 16},
        projection_dim=24,
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return written(tmp_path_factory.mktemp("clip"), CLIPModel(config), tokenizer, pictures)


@pytest.fixture(scope="session")
def siglip(tmp_path_factory) -> Path:
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = letters_tokenizer("<s>", "</s>", enclosed=True)
    torch.manual_seed(4)
    config = SiglipConfig(
        text_config=WIDTH | {"vocab_size": len(tokenizer), "max_position_embeddings": MOST_TOKENS},
        vision_config=WIDTH | {"image_size": 32, "patch_size": 16},
    )
    pictures = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return written(tmp_path_factory.mktemp("siglip"), SiglipModel(config), tokenizer, pictures)


@pytest.fixture(scope="session")
def bert(tmp_path_factory) -> Path:
    from transformers import BertConfig, BertModel

    tokenizer = letters_tokenizer("[CLS]", "[SEP]", enclosed=True)
    torch.manual_seed(5)
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=MOST_TOKENS, **WIDTH)
    # As many sentence encoders come: without the pooler, which nobody uses.
    return written(tmp_path_factory.mktemp("bert"), BertModel(config, add_pooling_layer=False), tokenizer)


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory) -> Path:
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = letters_tokenizer("<end>", "<end>", enclosed=False)
    torch.manual_seed(6)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=MOST_TOKENS,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.5,  # so that some letters surprise it more than others
    )
    return written(tmp_path_factory.mktemp("gpt2"), GPT2LMHeadModel(config), tokenizer)


@pytest.fixture(scope="session")
def pictures():
    """Three pictures of different sizes, shapes and colours."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(0)
    sizes = {"a.png": (40, 60), "b.png": (64, 32), "c.png": (20, 20)}
    return {
        name: Image.fromarray(noise.integers(0, 255, (*size, 3), np.uint8)) for name, size in sizes.items()
    }
