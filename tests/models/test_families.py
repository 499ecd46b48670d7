"""What each family does with captions: labels, masks, a training step, which module sees the picture."""

from __future__ import annotations

import pytest
import torch


def ids_of(model, captions):
    return [
        model.family.caption_token_ids(model.tokenizer, caption, model.max_caption_tokens)
        for caption in captions
    ]


def loss_of(model, pixels, captions):
    """Mean loss per word of one caption a picture."""
    token_ids = [[ids] for ids in ids_of(model, captions)]
    inputs = model.family.training_inputs(model.model, {"pixel_values": pixels}, token_ids)
    return model.model(**inputs).loss


def test_padding_does_not_change_the_loss(family_model, pixels, words):
    """A short caption in the company of long ones, and alone."""
    lengths = [len(ids) - len(family_model.family.caption_token_ids(family_model.tokenizer, "", 9)) + 1
               for ids in ids_of(family_model, words)]  # fmt: skip
    with torch.no_grad():
        together = loss_of(family_model, pixels[:4], words).item()
        alone = [loss_of(family_model, pixels[at : at + 1], [words[at]]).item() for at in range(4)]
    assert len(set(lengths)) > 1
    mean = sum(loss * length for loss, length in zip(alone, lengths, strict=True)) / sum(lengths)
    assert together == pytest.approx(mean, rel=1e-5)


def test_all_captions_of_a_picture_are_worth_as_much_as_pairs(family_model, pixels, words):
    """Two pictures with three captions and one, against four pairs: loss and gradients."""
    ids = ids_of(family_model, words)
    model, family = family_model.model, family_model.family
    gradients = []
    for images, token_ids in (
        (pixels[:2], [ids[:3], ids[3:]]),
        (pixels[[0, 0, 0, 1]], [[one] for one in ids]),
    ):
        model.zero_grad()
        loss = model(**family.training_inputs(model, {"pixel_values": images}, token_ids)).loss
        loss.backward()
        gradients.append([loss.detach()] + [p.grad.clone() for p in model.parameters() if p.grad is not None])
    model.zero_grad()
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_labels_are_the_words_and_the_end_and_nothing_else(family_model, pixels, words):
    token_ids = [[ids] for ids in ids_of(family_model, words)]
    inputs = family_model.family.training_inputs(family_model.model, {"pixel_values": pixels[:4]}, token_ids)
    for row, caption in zip(inputs["labels"], words, strict=True):
        predicted = [token for token in row.tolist() if token != -100]
        expected = family_model.tokenizer(caption, add_special_tokens=False)["input_ids"]
        assert predicted == [*expected, *family_model.family.end_token_ids(family_model.model)[:1]]
    assert family_model.tokenizer.pad_token_id not in inputs["labels"]


def test_the_loss_is_that_of_the_words_after_the_picture(
    family_model, plain_log_probabilities, pixels, words
):
    """Against cross entropy of each caption alone, unpadded: the label shift lands on the right positions."""
    with torch.no_grad():
        loss = loss_of(family_model, pixels[:4], words).item()
        each = []
        for picture, caption in zip(pixels, words, strict=False):
            (ids,) = ids_of(family_model, [caption])
            starts = family_model.family.caption_token_ids(family_model.tokenizer, "", 9)
            ids = ids[len(starts) - 1 :]  # without the start token, where the family writes one
            each.append(plain_log_probabilities(family_model.model, picture, tuple(ids)))
    assert loss == pytest.approx(-torch.cat(each).mean().item(), rel=1e-4)


def test_training_steps_lower_the_loss(family_checkpoint, pixels, words):
    from leyenda import models

    model = models.load(family_checkpoint, device="cpu")
    model.model.train()
    optimizer = torch.optim.AdamW(model.model.parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        loss = loss_of(model, pixels[:4], words)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_a_long_caption_is_cut_before_its_end_token(family_model, words):
    whole = family_model.family.caption_token_ids(family_model.tokenizer, " ".join(words), 1000)
    cut = family_model.family.caption_token_ids(family_model.tokenizer, " ".join(words), 8)
    assert len(cut) == 8
    assert cut[:-1] == whole[:7]
    assert cut[-1] == whole[-1] == family_model.family.end_token_ids(family_model.model)[0]


def test_the_image_encoder_is_the_part_that_only_sees_the_picture(family_model, pixels):
    encoder = {id(weight) for weight in family_model.family.image_encoder(family_model.model).parameters()}
    names = {name for name, weight in family_model.model.named_parameters() if id(weight) in encoder}
    assert any("patch_embed" in name for name in names)
    assert 0 < len(names) < sum(1 for _ in family_model.model.parameters())
    assert not any("word_embeddings" in name or "wte" in name for name in names)
