"""One tiny checkpoint of each family, written by `transformers` itself: nothing of leyenda has a hand in them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from leyenda import models

FAMILIES = ("git", "blip", "vision-encoder-decoder")

WORDS = ["a red dog runs on the grass", "un niño está aquí", "two blue birds over a house", "A cat sleeps."]

END = 3
"""The id of `[SEP]`."""

NARROW = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def bert_tokenizer():
    from transformers import BertTokenizer

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += sorted({word.strip(".") for line in WORDS for word in line.split()})
    letters = sorted({letter for line in WORDS for letter in line if letter != " "})
    pieces += [letter for letter in letters if letter not in pieces] + ["##" + letter for letter in letters]
    tokenizer = BertTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, do_lower_case=False, strip_accents=False
    )
    tokenizer.model_max_length = 40
    return tokenizer


def git(tokenizer):
    from transformers import GitConfig, GitForCausalLM, GitProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    config = GitConfig(
        vision_config=NARROW | {"image_size": 32, "patch_size": 16},
        vocab_size=len(tokenizer),
        max_position_embeddings=40,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **NARROW,
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return GitForCausalLM(config), [GitProcessor(pictures, tokenizer)]


def blip(tokenizer):
    from transformers import BlipConfig, BlipForConditionalGeneration, BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    config = BlipConfig(
        # Its default range, 1e-10, makes every picture look the same.
        vision_config=NARROW | {"image_size": 32, "patch_size": 16, "initializer_range": 0.02},
        text_config=NARROW
        | {
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 40,
            "encoder_hidden_size": 32,
            "bos_token_id": tokenizer.bos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            "sep_token_id": tokenizer.sep_token_id,
        },
        image_text_hidden_size=32,
        projection_dim=32,
    )
    pictures = BlipImageProcessorPil(size={"height": 32, "width": 32})
    return BlipForConditionalGeneration(config), [BlipProcessor(pictures, tokenizer)]


def vision_encoder_decoder(tokenizer):
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    words = GPT2Config(
        vocab_size=len(tokenizer), n_positions=40, n_embd=32, n_layer=2, n_head=2, add_cross_attention=True
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(**NARROW, image_size=32, patch_size=16), words
    )
    config.decoder_start_token_id = tokenizer.cls_token_id
    config.pad_token_id = tokenizer.pad_token_id
    config.eos_token_id = tokenizer.sep_token_id
    model = VisionEncoderDecoderModel(config)
    model.generation_config.decoder_start_token_id = tokenizer.cls_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.sep_token_id
    model.generation_config.bos_token_id = tokenizer.cls_token_id
    tokenizer.eos_token = "[SEP]"
    return model, [ViTImageProcessorPil(size={"height": 32, "width": 32}), tokenizer]


def make_some_captions_end(model, family: str) -> None:
    """Noise seldom says the end token; here captions of one batch end early, late and not at all."""
    with torch.no_grad():
        if family == "git":
            model.output.bias[END] += 2.0
        elif family == "blip":
            model.text_decoder.cls.predictions.decoder.bias[END] += 2.0
        else:  # GPT-2 has no bias there
            model.generation_config.eos_token_id = [END, *range(40, 70, 3)]


@pytest.fixture(scope="session", params=FAMILIES)
def family_checkpoint(request, tmp_path_factory) -> Path:
    """A folder with a checkpoint of the family, its weights wide enough for captions to depend on the picture."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    build = {"git": git, "blip": blip, "vision-encoder-decoder": vision_encoder_decoder}[request.param]
    model, parts = build(bert_tokenizer())
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(12)
    make_some_captions_end(model, request.param)
    folder = tmp_path_factory.mktemp(request.param) / "checkpoint"
    for part in (model, *parts):
        part.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def family_model(family_checkpoint) -> models.CaptioningModel:
    """The same checkpoint as leyenda loads it."""
    return models.load(family_checkpoint, device="cpu")


@pytest.fixture(scope="session")
def pixels() -> torch.Tensor:
    """33 pictures as a model sees them: `[33, 3, 32, 32]`."""
    return torch.randn(33, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def load_reference():
    """A function: a checkpoint's folder -> its model, loaded by `transformers` alone."""
    return reference_model


@pytest.fixture(scope="session")
def reference(family_checkpoint):
    return reference_model(family_checkpoint)


def reference_model(folder):
    """The same checkpoint, loaded by `transformers` alone."""
    import transformers

    kind = transformers.AutoConfig.from_pretrained(folder).model_type
    auto = transformers.AutoModelForCausalLM if kind == "git" else transformers.AutoModelForImageTextToText
    return auto.from_pretrained(folder).eval()


def log_probabilities(model, pixel_values, ids: tuple[int, ...]) -> torch.Tensor:
    """Log-probability of each id after the picture and the ids before it, by one forward pass without cache."""
    kind = model.config.model_type
    if kind == "git":
        start = model.generation_config.bos_token_id
        given = torch.tensor([[start, *ids[:-1]]])
        logits = model(input_ids=given, pixel_values=pixel_values[None]).logits[0, -len(ids) :]
    elif kind == "blip":
        given = torch.tensor([[model.config.text_config.bos_token_id, *ids[:-1]]])
        seen = model.vision_model(pixel_values=pixel_values[None]).last_hidden_state
        logits = model.text_decoder(input_ids=given, encoder_hidden_states=seen, use_cache=False).logits[0]
    else:
        given = torch.tensor([[model.generation_config.decoder_start_token_id, *ids[:-1]]])
        logits = model(pixel_values=pixel_values[None], decoder_input_ids=given).logits[0]
    return logits.double().log_softmax(-1)[range(len(ids)), list(ids)]


@pytest.fixture(scope="session")
def plain_log_probabilities():
    """A function: model, pixel values and ids -> log-probabilities that leyenda has no hand in."""
    return log_probabilities


@pytest.fixture(scope="session")
def words() -> list[str]:
    """Captions of which every word is in the tokenizers' vocabulary."""
    return WORDS
