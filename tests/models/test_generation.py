"""Captions and their confidence, against `transformers`' own generate and a plain forward pass."""

from __future__ import annotations

import itertools
import warnings

import pytest
import torch

from leyenda.errors import LeyendaError
from leyenda.models import GenerationSettings


def ends_of(model) -> set[int]:
    if model.config.model_type == "blip":
        return {model.config.text_config.sep_token_id}
    ends = model.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends}


def up_to_end(ids: list[int], ends: set[int]) -> tuple[int, ...]:
    """Without the start token, up to the first end token."""
    kept = list(itertools.takewhile(lambda token: token not in ends, ids[1:]))
    return tuple(ids[1 : len(kept) + 2])


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_are_those_of_transformers_token_for_token(reference, family_model, pixels, beams):
    with torch.no_grad():
        rows = reference.generate(pixel_values=pixels, num_beams=beams, max_new_tokens=12, do_sample=False)
    ends = ends_of(reference)
    expected = [up_to_end(ids, ends) for ids in rows.tolist()]
    settings = GenerationSettings(beams=beams, max_length=12)
    for batch_size in (1, 7, 33):
        captions = [
            caption
            for first in range(0, len(pixels), batch_size)
            for caption in family_model.generate(pixels[first : first + batch_size], settings)
        ]
        assert [caption.token_ids for caption in captions] == expected, batch_size
    tokenizer = family_model.tokenizer
    assert [c.text for c in captions] == [
        tokenizer.decode(i, skip_special_tokens=True).strip() for i in expected
    ]
    assert len(set(expected)) > 1, "all captions alike: this would pass with a wrong batch order"
    assert len({len(ids) for ids in expected}) > 1, "all captions of one length: padding was not tested"


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("min_length", [0, 9])
def test_confidence_is_the_geometric_mean_of_the_models_own_probabilities(
    reference, family_model, plain_log_probabilities, pixels, beams, min_length
):
    captions = family_model.generate(
        pixels[:12], GenerationSettings(beams=beams, max_length=10, min_length=min_length)
    )
    with torch.no_grad():
        for picture, caption in zip(pixels, captions, strict=False):
            expected = plain_log_probabilities(reference, picture, caption.token_ids).mean().exp().item()
            assert caption.confidence == pytest.approx(expected, rel=1e-4)
            assert len(caption.token_ids) >= min_length


def test_a_caption_ends_with_its_end_token_or_at_max_length(family_model, pixels):
    captions = family_model.generate(pixels, GenerationSettings(max_length=7))
    ends = ends_of(family_model.model)
    for caption in captions:
        assert not ends & set(caption.token_ids[:-1])
        assert len(caption.token_ids) == 7 or caption.token_ids[-1] in ends


def test_max_length_stops_at_the_models_positions(family_model, pixels):
    (caption,) = family_model.generate(pixels[:1], GenerationSettings(max_length=5000, min_length=39))
    assert len(caption.token_ids) == family_model.max_new_tokens == 39
    with pytest.raises(LeyendaError, match=r"min_length is 40, but .* at most 39 tokens"):
        family_model.generate(pixels[:1], GenerationSettings(max_length=5000, min_length=40))


def test_generating_says_nothing(family_model, pixels, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for settings in (
            GenerationSettings(),
            GenerationSettings(beams=3, min_length=4),
            GenerationSettings(sample=True, temperature=0.7, top_p=0.9),
        ):
            family_model.generate(pixels[:2], settings)
    assert capfd.readouterr() == ("", "")


def test_generating_leaves_the_random_numbers_of_others_alone(family_model, pixels):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    family_model.generate(pixels[:2], GenerationSettings(sample=True))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"beams": 0}, "beams is 0. It must be a whole number from 1 up."),
        ({"beams": 2.0}, "beams is 2.0. It must be a whole number from 1 up."),
        ({"max_length": 0}, "max_length is 0."),
        ({"max_length": -3}, "max_length is -3."),
        ({"min_length": -1}, "min_length is -1. It must be a whole number from 0 up."),
        ({"min_length": 51}, "min_length (51) is more than max_length (50)."),
        ({"temperature": 0.0}, "temperature is 0.0. It must be greater than 0."),
        ({"temperature": float("nan")}, "temperature is nan."),
        ({"top_p": 0.0}, "top_p is 0.0. It must be greater than 0 and at most 1."),
        ({"top_p": 1.5}, "top_p is 1.5."),
        ({"seed": -1}, "seed is -1."),
        ({"sample": True, "beams": 2}, "Sampling does not go together with 2 beams."),
    ],
)
def test_settings_that_make_no_sense(setting, words):
    with pytest.raises(LeyendaError) as caught:
        GenerationSettings(**setting)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
