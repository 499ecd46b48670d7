"""leyenda's own GIT against that of `transformers`: logits, loss, gradients, searches, and when it steps aside."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import GitConfig
from transformers import GitForCausalLM as PlainGit
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from leyenda.errors import ModelError
from leyenda.models import CaptioningModel, GenerationSettings
from leyenda.models.git import Git
from leyenda.models.git_network import GitNetwork, text_mask
from leyenda.models.git_training import make_fast

VOCABULARY, LONGEST = 97, 24
CLS, SEP = 1, 2


@pytest.fixture(scope="module")
def plain():
    """A GIT of three layers each, with weights large enough for every part to matter."""
    torch.manual_seed(8)
    config = GitConfig(
        vision_config={
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "image_size": 32,
            "patch_size": 8,
        },
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=LONGEST,
        bos_token_id=CLS,
        eos_token_id=SEP,
        pad_token_id=0,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = PlainGit(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(8)
        model.output.bias[SEP] = 1.0
    return model


@pytest.fixture
def fast(plain):
    model = copy.deepcopy(plain)
    make_fast(model)
    return model


@pytest.fixture(scope="module")
def pixels():
    return torch.randn(33, 3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("training", [False, True])
def test_a_fast_model_trains_or_not_as_before(plain, training):
    model = copy.deepcopy(plain).train(training)
    make_fast(model)
    assert {module.training for module in model.modules()} == {training}


def captions(number, seed=0):
    """Ids of captions of 1 to 9 words."""
    generator = torch.Generator().manual_seed(seed)

    def one():
        words = int(torch.randint(1, 10, (), generator=generator))
        return [CLS, *torch.randint(3, VOCABULARY, (words,), generator=generator).tolist(), SEP]

    return [one() for _ in range(number)]


def plain_inputs(pixels, ids):
    return Git().training_inputs(None, {"pixel_values": pixels}, [[one] for one in ids])


def assert_same_gradients(ours, expected):
    """Within 1e-4 of each weight's largest; gradients that are nothing but rounding (of the keys' biases) are not."""
    largest = max(float(weight.grad.abs().max()) for weight in expected.parameters())
    of = {name: weight.grad for name, weight in expected.named_parameters()}
    for name, weight in ours.named_parameters():
        scale = max(float(of[name].abs().max()), 1e-3 * largest)
        assert float((weight.grad - of[name]).abs().max()) < 1e-4 * scale, name


@pytest.mark.parametrize("number", [1, 2, 5, 16, 33])
def test_logits_are_those_of_transformers(plain, fast, pixels, number):
    inputs = plain_inputs(pixels[:number], captions(number))
    del inputs["labels"]
    with torch.no_grad():
        expected = plain(**inputs).logits
        states = fast.caption_states(
            fast.encode_images(inputs["pixel_values"]),
            inputs["input_ids"],
            None,
            text_mask(inputs["input_ids"], inputs["attention_mask"], None),
        )
        logits = fast.output(states)
    real = inputs["attention_mask"].bool()
    of_text = expected[:, -inputs["input_ids"].shape[1] :]
    torch.testing.assert_close(logits[real], of_text[real], rtol=0, atol=1e-4)
    assert expected.abs().max() > 1, "logits near zero would be near any others"


@pytest.mark.parametrize("number", [1, 4, 33])
@pytest.mark.parametrize("divisor", [None, 57])
def test_loss_and_gradients_are_those_of_transformers(plain, fast, pixels, number, divisor):
    inputs = plain_inputs(pixels[:number], captions(number, seed=number))
    if divisor:
        inputs["num_items_in_batch"] = divisor
    plain = copy.deepcopy(plain)
    losses = []
    for model in (plain, fast):
        model.train()
        loss = model(**inputs).loss
        loss.backward()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert_same_gradients(fast, plain)


def test_five_captions_in_a_row_are_five_pairs(plain, fast, pixels):
    ids = captions(15, seed=4)
    together = [ids[:5], ids[5:10], ids[10:14], ids[14:]]
    inputs = Git().training_inputs(fast, {"pixel_values": pixels[:4]}, together)
    assert inputs["input_ids"].shape[0] == 4
    plain = copy.deepcopy(plain)
    pictures = torch.tensor([0] * 5 + [1] * 5 + [2] * 4 + [3])
    fast.train()
    plain.train()
    ours = fast(**inputs).loss
    expected = plain(**plain_inputs(pixels[pictures], ids)).loss
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)
    ours.backward()
    expected.backward()
    assert_same_gradients(fast, plain)


def test_a_model_that_is_not_fast_gets_pairs(plain, pixels):
    ids = captions(3)
    inputs = Git().training_inputs(plain, {"pixel_values": pixels[:2]}, [ids[:2], ids[2:]])
    assert torch.equal(inputs["pixel_values"], pixels[[0, 0, 1]])
    assert set(inputs) == {"pixel_values", "input_ids", "attention_mask", "labels"}


def test_cached_features_train_as_pixels_do(fast, pixels):
    ids = [[one] for one in captions(6)]
    features = Git().image_features(fast, pixels[:6])
    by_pixels = fast(**Git().training_inputs(fast, {"pixel_values": pixels[:6]}, ids)).loss
    by_features = fast(**Git().training_inputs(fast, {"image_features": features}, ids)).loss
    assert by_features.item() == pytest.approx(by_pixels.item(), rel=1e-6)


def test_gradient_checkpointing_changes_no_gradient(fast, pixels):
    inputs = plain_inputs(pixels[:3], captions(3))
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            fast.gradient_checkpointing_enable()
        fast.train()
        fast.zero_grad()
        fast(**inputs).loss.backward()
        gradients.append([weight.grad.clone() for weight in fast.parameters()])
    for without, with_it in zip(*gradients, strict=True):
        torch.testing.assert_close(with_it, without)


def test_dropout_is_at_work_in_training_only(fast, pixels):
    for module in fast.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.3
    inputs = plain_inputs(pixels[:4], captions(4))
    with torch.no_grad():
        fast.train()
        assert fast(**inputs).loss.item() != fast(**inputs).loss.item()
        fast.eval()
        assert fast(**inputs).loss.item() == fast(**inputs).loss.item()


def searched(model, pixels, settings, sizes=(1, 2, 7, 16, 33)):
    """Token ids of all pictures, for each batch size."""
    captioning = captioning_model(model)
    for size in sizes:
        yield [
            caption.token_ids
            for first in range(0, len(pixels), size)
            for caption in captioning.generate(pixels[first : first + size], settings)
        ]


def captioning_model(model):
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return CaptioningModel("fast", model, None, Words(), pictures, Git())


class Words:
    model_max_length = LONGEST

    def decode(self, ids, skip_special_tokens):
        return " ".join(map(str, ids))


def expected_ids(plain, pixels, **arguments):
    with torch.no_grad():
        rows = plain.generate(pixel_values=pixels, do_sample=False, **arguments).tolist()
    return [tuple(row[1 : row.index(SEP, 1) + 1] if SEP in row[1:] else row[1:]) for row in rows]


@pytest.mark.parametrize("early_stopping", [False, True, "never"])
@pytest.mark.parametrize("length_penalty", [1.0, 0.0, 2.0, -1.0])
@pytest.mark.parametrize("beams", [2, 3, 5])
def test_beams_are_those_of_transformers(plain, fast, pixels, beams, length_penalty, early_stopping):
    expected = expected_ids(
        plain, pixels, num_beams=beams, max_new_tokens=12,
        length_penalty=length_penalty, early_stopping=early_stopping,
    )  # fmt: skip
    fast.generation_config.length_penalty = length_penalty
    fast.generation_config.early_stopping = early_stopping
    for found in searched(fast, pixels, GenerationSettings(beams=beams, max_length=12), sizes=(5, 33)):
        assert found == expected
    if length_penalty < 2:  # with more, the longest always win
        assert len({len(ids) for ids in expected}) > 1


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("shortest", [0, 4, 11])
def test_searches_in_batches_of_1_to_33(plain, fast, pixels, beams, shortest):
    settings = GenerationSettings(beams=beams, max_length=12, min_length=shortest)
    arguments = {"min_new_tokens": shortest} if shortest else {}
    expected = expected_ids(plain, pixels, num_beams=beams, max_new_tokens=12, **arguments)
    for found in searched(fast, pixels, settings):
        assert found == expected


def test_several_end_tokens(plain, fast, pixels):
    plain = copy.deepcopy(plain)
    ends = [SEP, 10, 20, 30, 40, 50]
    plain.generation_config.eos_token_id = fast.generation_config.eos_token_id = ends
    for beams in (1, 3):
        with torch.no_grad():
            rows = plain.generate(pixel_values=pixels, num_beams=beams, max_new_tokens=12).tolist()
        expected = []
        for row in rows:
            end = next((at for at, token in enumerate(row) if at and token in ends), len(row))
            expected.append(tuple(row[1 : end + 1]))
        (found,) = searched(fast, pixels, GenerationSettings(beams=beams, max_length=12), sizes=(33,))
        assert found == expected


def test_features_caption_as_pixels_do(fast, pixels):
    captioning = captioning_model(fast)
    features = captioning.image_features(pixels)
    for beams in (1, 3):
        settings = GenerationSettings(beams=beams, max_length=9)
        by_features = captioning.generate(image_features=features, settings=settings)
        by_pixels = captioning.generate(pixels, settings)
        assert [one.token_ids for one in by_features] == [one.token_ids for one in by_pixels]
        # Images are encoded a few at a time, features all at once: sums may be rounded in another order.
        confidences = [one.confidence for one in by_pixels]
        assert [one.confidence for one in by_features] == pytest.approx(confidences, rel=1e-6)


def test_beams_encode_each_picture_once(fast, pixels, monkeypatch):
    seen = []
    encode = GitNetwork.encode_images
    monkeypatch.setattr(GitNetwork, "encode_images", lambda self, x: seen.append(len(x)) or encode(self, x))
    captioning = captioning_model(fast)
    captioning.generate(pixels[:7], GenerationSettings(beams=5, max_length=9))
    assert seen == [7]


def test_settings_of_a_checkpoint_that_our_search_does_not_know_are_followed(plain, fast, pixels):
    """`generate` of `transformers` then does the work; without it these captions would repeat words."""
    fast.generation_config.no_repeat_ngram_size = 1
    expected = expected_ids(plain, pixels, num_beams=1, max_new_tokens=12, no_repeat_ngram_size=1)
    assert expected != expected_ids(plain, pixels, num_beams=1, max_new_tokens=12)
    (found,) = searched(fast, pixels, GenerationSettings(max_length=12), sizes=(33,))
    assert found == expected
    captioning = captioning_model(fast)
    with pytest.raises(ModelError, match="only work from pixels"):
        captioning.generate(image_features=captioning.image_features(pixels))


def test_whatever_else_is_asked_of_the_model_is_answered_by_transformers(plain, fast, pixels):
    inputs = plain_inputs(pixels[:3], captions(3))
    labels = inputs.pop("labels")
    with torch.no_grad():
        torch.testing.assert_close(fast(**inputs).logits, plain(**inputs).logits)
        asked = {**inputs, "labels": labels, "output_hidden_states": True}
        torch.testing.assert_close(fast(**asked).hidden_states, plain(**asked).hidden_states)
        ids = fast.generate(pixel_values=pixels[:3], max_new_tokens=9, num_beams=2)
        assert torch.equal(ids, plain.generate(pixel_values=pixels[:3], max_new_tokens=9, num_beams=2))
    with pytest.raises(ValueError, match="need input_ids and labels"):
        fast(image_features=torch.zeros(1, 17, 48), input_ids=torch.tensor([[1]]))


def test_bfloat16_stays_near(plain, fast, pixels):
    inputs = plain_inputs(pixels[:8], captions(8))
    with torch.no_grad():
        expected = plain(**inputs).loss.item()
        with torch.autocast("cpu", torch.bfloat16):
            under_autocast = fast(**inputs).loss
        assert under_autocast.dtype == torch.float32
        whole = fast.bfloat16()(**inputs | {"pixel_values": inputs["pixel_values"].bfloat16()}).loss
    assert under_autocast.item() == pytest.approx(expected, rel=0.03)
    assert whole.item() == pytest.approx(expected, rel=0.05)


def test_the_saved_checkpoint_is_that_of_transformers(plain, fast, tmp_path):
    fast.save_pretrained(tmp_path / "fast")
    plain.save_pretrained(tmp_path / "plain")
    assert {path.name for path in (tmp_path / "fast").iterdir()} == {
        path.name for path in (tmp_path / "plain").iterdir()
    }
    for path in (tmp_path / "plain").iterdir():
        assert (tmp_path / "fast" / path.name).read_bytes() == path.read_bytes(), path.name
    again = PlainGit.from_pretrained(tmp_path / "fast")
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), plain.parameters(), strict=True))
