"""The operations that the benchmarks count, against torch's own counter."""

from __future__ import annotations

import pytest
import torch
from benchmarks.git_flops import GitShape
from torch.utils.flop_counter import FlopCounterMode

TOKENS = 9


@pytest.fixture(scope="module")
def plain():
    """`transformers`' own GIT with sizes that all differ, so that no two can be mistaken for one another."""
    from transformers import GitConfig, GitForCausalLM

    vision = {
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = GitConfig(
        vision_config=vision,
        vocab_size=101,
        hidden_size=32,
        intermediate_size=72,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    return GitForCausalLM(config)


def counted(work) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def inputs(rows: int = 2) -> dict[str, torch.Tensor]:
    ids = torch.randint(3, 101, (rows, TOKENS))
    return {"pixel_values": torch.randn(rows, 3, 32, 32), "input_ids": ids, "labels": ids}


def test_the_image_encoder(plain) -> None:
    pictures = torch.randn(3, 3, 32, 32)
    assert counted(lambda: plain.git.image_encoder(pictures)) == 3 * GitShape.of(plain.config).image_encoder()


def test_what_transformers_does_in_a_forward_pass(plain) -> None:
    assert counted(lambda: plain(**inputs())) == 2 * GitShape.of(plain.config).transformers_forward(TOKENS)


def test_a_training_step_is_three_forward_passes_but_for_the_pixels(plain) -> None:
    shape = GitShape.of(plain.config)
    expected = 2 * (3 * shape.transformers_forward(TOKENS) - shape.patch_embedding())
    assert counted(lambda: plain(**inputs()).loss.backward()) == expected


def test_what_is_needed_is_less_than_what_transformers_does_and_more_than_its_parts(plain) -> None:
    shape = GitShape.of(plain.config)
    done = 3 * shape.transformers_forward(TOKENS) - shape.patch_embedding()
    needed = shape.training(images=1, captions=1, tokens=TOKENS)
    assert 3 * shape.image_encoder() < needed < done


def test_tokens_one_by_one_cost_what_they_cost_together(plain) -> None:
    shape = GitShape.of(plain.config)
    one_by_one = sum(shape.text(1, before=before) for before in range(TOKENS))
    assert one_by_one == shape.text(TOKENS)


def test_more_captions_share_the_image(plain) -> None:
    shape = GitShape.of(plain.config)
    one, five = (shape.training(1, captions, TOKENS) for captions in (1, 5))
    assert five - one == 4 * 3 * (shape.text(TOKENS) + shape.logits(TOKENS))
