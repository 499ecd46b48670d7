"""Perplexity against the loss that `transformers` computes itself, caption by caption."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.fakes.captions import HYPOTHESES, REFERENCES

from leyenda.errors import ModelError
from leyenda.judges import judge

BOTH = ["perplexity", "perplexity_per_word"]


def scored(folder, hypotheses=HYPOTHESES, **options):
    references = dict.fromkeys(hypotheses, ("anything",))
    return judge(BOTH, hypotheses, references, language_model=folder, **options)


def nats(folder, text):
    """Summed loss of a text after the begin token, and its number of tokens."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(tokenizer.bos_token + text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        loss = AutoModelForCausalLM.from_pretrained(folder).eval()(input_ids=ids, labels=ids).loss.item()
    return loss * (ids.shape[1] - 1), ids.shape[1] - 1


def test_it_is_the_exponential_of_the_mean_loss_per_token_and_per_word(gpt2):
    scores = scored(gpt2)
    for image, caption in HYPOTHESES.items():
        sum_of_losses, tokens = nats(gpt2, caption)
        assert tokens == len(caption)
        assert scores.per_image["perplexity"][image] == pytest.approx(
            np.exp(sum_of_losses / tokens), rel=1e-4
        )
        per_word = np.exp(sum_of_losses / len(caption.split()))
        assert scores.per_image["perplexity_per_word"][image] == pytest.approx(per_word, rel=1e-3)
    for name in BOTH:
        assert scores.values[name] == pytest.approx(np.mean(list(scores.per_image[name].values())))
        assert scores.values[name] > 1


def test_neither_order_nor_batches_nor_references_change_a_score(gpt2):
    together = scored(gpt2).per_image
    assert scored(gpt2, dict(reversed(HYPOTHESES.items()))).per_image == together
    assert judge(BOTH, HYPOTHESES, REFERENCES, language_model=gpt2).per_image == together
    for image, caption in HYPOTHESES.items():
        alone = scored(gpt2, {image: caption}, batch_size=1)
        for name in BOTH:
            assert alone.values[name] == pytest.approx(together[name][image], rel=1e-4)


def test_a_caption_of_one_token_is_predicted_from_the_beginning_of_a_text(gpt2):
    scores = scored(gpt2, {"x": "a"})
    assert scores.values["perplexity"] == pytest.approx(np.exp(nats(gpt2, "a")[0]), rel=1e-5)
    assert scores.values["perplexity_per_word"] == scores.values["perplexity"]


def test_an_empty_caption_counts_as_chance_and_is_said(gpt2):
    scores = scored(gpt2, {"x": "", "y": " \n", "z": "a cat"})
    vocabulary = 32
    for name in BOTH:
        assert scores.per_image[name]["x"] == pytest.approx(vocabulary)
        assert scores.per_image[name]["y"] == pytest.approx(vocabulary)
        assert "empty captions: 2" in scores.normalization[name]
        assert "empty" not in scored(gpt2).normalization[name]


def test_surprise_beyond_all_numbers_stays_a_number(gpt2):
    scores = scored(gpt2, {"x": "qqqq!zzzz" * 40})
    assert np.isfinite(scores.values["perplexity_per_word"])


def test_captions_that_are_too_long_are_cut_and_counted(gpt2):
    long = "abc " * 20
    scores = scored(gpt2, {"x": long + "d"})
    assert "1 of 1 texts was longer than its 48 tokens and was cut" in scores.normalization["perplexity"]
    sum_of_losses, tokens = nats(gpt2, long[:47])
    assert scores.values["perplexity"] == pytest.approx(np.exp(sum_of_losses / tokens), rel=1e-4)
    assert scores.values["perplexity_per_word"] == pytest.approx(
        np.exp(sum_of_losses / (21 * 48 / 82)), rel=1e-2
    )


def test_a_model_that_writes_no_text_by_itself_is_named(clip, tiny_checkpoint):
    for folder in (clip, tiny_checkpoint):
        with pytest.raises(ModelError, match=str(folder)):
            scored(folder)


def test_a_tokenizer_without_begin_and_end_cannot_predict_the_first_word(gpt2, tmp_path):
    import shutil

    from transformers import AutoTokenizer

    folder = tmp_path / "model"
    shutil.copytree(gpt2, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match=r"no first word can be predicted.*--language-model"):
        scored(folder)
