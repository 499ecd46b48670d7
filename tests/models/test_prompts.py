"""Captions that go on from a prompt, against `transformers` with each picture alone and without padding."""

from __future__ import annotations

import re

import pytest
import torch

from leyenda.errors import CaptionError, LeyendaError
from leyenda.models import GenerationSettings
from leyenda.models.prompts import Prompts
from leyenda.models.vocabulary import token_ids
from leyenda.text_control import TextRules

PROMPTS = ["a red dog", "", "un niño", "two", "A cat sleeps.", "a red bird over the house on", "un"]


@pytest.fixture
def prompted(family_model):
    if not family_model.family.takes_prompts:
        with pytest.raises(
            LeyendaError, match=r"of the kind 'vision-encoder-decoder', which takes no prompt\. Leave"
        ):
            family_model.check_prompts()
    return family_model


def expected(reference, model, picture, prompt, settings):
    """Ids that `generate` adds to a prompt, up to the end token."""
    words = token_ids(model.tokenizer, prompt)
    arguments = {"num_beams": settings.beams, "max_new_tokens": settings.max_length, "do_sample": False}
    if settings.min_length:
        arguments["min_new_tokens"] = settings.min_length
    if reference.config.model_type == "git":
        given = [[reference.generation_config.bos_token_id, *words]]
    else:
        start, end = reference.config.text_config.bos_token_id, reference.config.text_config.sep_token_id
        given = [[start, *words, end]]
    with torch.no_grad():
        row = reference.generate(pixel_values=picture[None], input_ids=torch.tensor(given), **arguments)[
            0
        ].tolist()
    row = row[1 + len(words) :]
    ends = model.family.end_token_ids(model.model)
    end = next((at for at, token in enumerate(row) if token in ends), len(row))
    return tuple(row[: end + 1])


@pytest.mark.parametrize(("beams", "shortest"), [(1, 0), (3, 0), (3, 5)])
def test_they_go_on_as_in_transformers_token_for_token(reference, prompted, pixels, beams, shortest):
    if not prompted.family.takes_prompts:
        return
    settings = GenerationSettings(beams=beams, max_length=8, min_length=shortest)
    pixels = pixels[:14]
    prompts = PROMPTS * 2
    wanted = [
        expected(reference, prompted, picture, prompt, settings)
        for picture, prompt in zip(pixels, prompts, strict=True)
    ]
    for size in (1, 5, 14):
        captions = [
            caption
            for first in range(0, 14, size)
            for caption in prompted.generate(
                pixels[first : first + size], settings, prompts=prompts[first : first + size]
            )
        ]
        assert [caption.token_ids for caption in captions] == wanted, size
    for caption, prompt in zip(captions, prompts, strict=True):
        assert caption.text.startswith(prompt)
    assert len({len(ids) for ids in wanted}) > 1
    without = prompted.generate(pixels, settings)
    assert [c.token_ids for c in without] != [c.token_ids for c in captions]


def test_confidence_is_of_what_the_model_wrote(reference, prompted, plain_log_probabilities, pixels):
    if not prompted.family.takes_prompts:
        return
    captions = prompted.generate(pixels[:7], GenerationSettings(max_length=6), prompts=PROMPTS)
    for picture, prompt, caption in zip(pixels, PROMPTS, captions, strict=False):
        words = token_ids(prompted.tokenizer, prompt)
        with torch.no_grad():
            whole = plain_log_probabilities(reference, picture, (*words, *caption.token_ids))
        assert caption.confidence == pytest.approx(whole[len(words) :].mean().exp().item(), rel=1e-4)


def test_banned_words_are_not_written_behind_a_prompt(prompted, pixels):
    """Neither whole ones, nor what would complete a phrase that the prompt begins."""
    if not prompted.family.takes_prompts:
        return
    settings = GenerationSettings(max_length=6)
    prompts = ["a red"] * 12
    plain = prompted.generate(pixels[:12], settings, prompts=prompts)
    follows = re.match(r"a red\W+(\w+)", plain[0].text)[1]
    rules = TextRules(ban=(f"red {follows}",))
    captions = prompted.generate(pixels[:12], settings, text=rules, prompts=prompts)
    assert not any(re.match(rf"a red\W+{follows}\b", caption.text) for caption in captions)
    own = prompted.generate(pixels[:12], settings, text=TextRules(ban=("red",)), prompts=prompts)
    assert all(caption.text.startswith("a red") and caption.text.count("red") == 1 for caption in own)


def test_a_prompt_that_leaves_no_place(prompted, pixels):
    if not prompted.family.takes_prompts:
        return
    longest = prompted.max_new_tokens - 1
    (caption,) = prompted.generate(pixels[:1], GenerationSettings(), prompts=["a " * longest])
    assert len(caption.token_ids) == 1
    with pytest.raises(
        CaptionError, match=r"is 39 tokens long, and .* has place for 39, the caption"
    ) as caught:
        prompted.generate(pixels[:1], prompts=["a " * (longest + 1)])
    assert caught.value.code == "long_prompt"


def test_long_and_short_prompts_together_have_the_limits_that_they_have_alone(prompted, pixels):
    if not prompted.family.takes_prompts:
        return
    settings = GenerationSettings(max_length=30, min_length=9)
    prompts = ["a " * 25, "two", "a " * 20]
    together = prompted.generate(pixels[:3], settings, prompts=prompts)
    for picture, prompt, caption in zip(pixels, prompts, together, strict=False):
        (alone,) = prompted.generate(picture[None], settings, prompts=[prompt])
        assert alone.token_ids == caption.token_ids


def test_features_go_on_as_pixels_do(prompted, pixels):
    if not prompted.family.takes_image_features:
        return
    features = prompted.image_features(pixels[:7])
    by_features = prompted.generate(image_features=features, prompts=PROMPTS)
    assert by_features == prompted.generate(pixels[:7], prompts=PROMPTS)


class Uncased:
    """Decodes as an uncased tokenizer that does not know a name."""

    unk_token_id = None

    def __call__(self, text, add_special_tokens):
        return {"input_ids": [1, 2]}

    def decode(self, ids, skip_special_tokens):
        words = {1: "a", 2: "", 3: "cat", 4: "."}
        return " ".join(words[token] for token in ids).replace(" .", ".")


def test_the_prompt_stays_as_the_user_wrote_it():
    prompts = Prompts.of(Uncased(), ["A Łukasz", ""])
    assert prompts.ids == ((1, 2), ())
    assert prompts.caption(Uncased(), 0, [3, 4]) == "A Łukasz cat."
    assert prompts.caption(Uncased(), 1, [3, 4]) == "cat."
