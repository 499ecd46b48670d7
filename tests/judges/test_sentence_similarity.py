"""Sentence similarity against mean-pooled states that `transformers` gives when it is asked directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.fakes.captions import HYPOTHESES, REFERENCES

from leyenda.errors import ModelError
from leyenda.judges import judge


def scored(folder, hypotheses=HYPOTHESES, references=REFERENCES, **options):
    scores = judge(["sentence_similarity"], hypotheses, references, sentence_model=folder, **options)
    assert scores.values["sentence_similarity"] == pytest.approx(
        np.mean(list(scores.per_image["sentence_similarity"].values()))
    )
    return scores.per_image["sentence_similarity"]


def pooled(folder, text):
    from transformers import AutoModel, AutoTokenizer

    with torch.no_grad():
        states = AutoModel.from_pretrained(folder).eval()(
            **AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
        )
    return states.last_hidden_state[0].mean(dim=0)


def test_it_is_the_best_cosine_of_mean_pooled_states(bert):
    found = scored(bert)
    for image, caption in HYPOTHESES.items():
        cosines = [
            torch.cosine_similarity(pooled(bert, caption), pooled(bert, other), dim=0).item()
            for other in REFERENCES[image]
        ]
        assert found[image] == pytest.approx(max(cosines), abs=1e-5)
    assert found["c.png"] == pytest.approx(1.0)
    assert found["b.png"] < 0.99


def test_neither_order_nor_batches_nor_other_captions_change_a_score(bert):
    together = scored(bert)
    assert scored(bert, dict(reversed(HYPOTHESES.items()))) == together
    for image in HYPOTHESES:
        alone = scored(bert, {image: HYPOTHESES[image]}, {image: REFERENCES[image]}, batch_size=1)
        assert alone[image] == pytest.approx(together[image], abs=1e-5)


def test_captions_without_words_resemble_nothing(bert):
    hypotheses = HYPOTHESES | {"a.png": " \n"}
    references = REFERENCES | {"b.png": ("", " "), "c.png": ("", "a cat")}
    found = scored(bert, hypotheses, references)
    assert (found["a.png"], found["b.png"]) == (0.0, 0.0)
    # A reference without words stands beside one with words as if it were not there.
    assert found["c.png"] == scored(bert, references=REFERENCES | {"c.png": ("a cat",)})["c.png"]
    assert scored(bert, {"x": ""}, {"x": ("",)}) == {"x": 0.0}


def test_captions_that_are_too_long_are_cut_and_counted(bert):
    long = "a dog runs over the grass " * 4
    scores = judge(
        ["sentence_similarity"], {"x": long + "a cat"}, {"x": (long + "a bird",)}, sentence_model=bert
    )
    assert scores.values["sentence_similarity"] == pytest.approx(1.0)
    assert "2 of 2 texts were longer than its 48 tokens" in scores.normalization["sentence_similarity"]


def test_the_encoder_of_an_encoder_decoder_is_taken(tmp_path, bert):
    from transformers import AutoTokenizer, T5Config, T5Model

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(bert)
    sizes = {"d_model": 32, "d_ff": 64, "d_kv": 16, "num_layers": 2, "num_heads": 2}
    model = T5Model(T5Config(vocab_size=len(tokenizer), decoder_start_token_id=0, **sizes)).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with torch.no_grad():
        a, b = (
            model.encoder(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
            for text in ("a cat", "two dogs")
        )
    found = scored(tmp_path, {"x": "a cat"}, {"x": ("two dogs",)})
    assert found["x"] == pytest.approx(torch.cosine_similarity(a, b, dim=0).item(), abs=1e-5)


def test_a_model_that_is_no_encoder_of_text_is_named(clip, tiny_checkpoint):
    for folder, kind in ((clip, "'clip'"), (tiny_checkpoint, "'git'")):
        with pytest.raises(ModelError, match="--sentence-model") as error:
            scored(folder)
        assert kind in str(error.value)


def test_weights_that_are_needed_may_not_be_absent(bert, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "damaged"
    shutil.copytree(bert, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["embeddings.word_embeddings.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of its weights \(embeddings\.word_embeddings\.weight"):
        scored(folder)
