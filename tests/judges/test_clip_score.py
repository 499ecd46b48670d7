"""CLIPScore against what `transformers` computes when it is asked directly, picture by picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.fakes.captions import HYPOTHESES, REFERENCES

from leyenda.errors import JudgeError, ModelError
from leyenda.judges import JUDGES, judge

BOTH = ["clip_score", "ref_clip_score"]


def scored(folder, pictures, hypotheses=HYPOTHESES, references=REFERENCES, **options):
    return judge(BOTH, hypotheses, references, pictures, clip_model=folder, **options)


def asked_directly(folder, picture, texts):
    """Unit vectors of a picture and of texts, one forward pass of the whole model per text."""
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pixels = AutoImageProcessor.from_pretrained(folder)(images=picture, return_tensors="pt")
    vectors = []
    for text in texts:
        padding = {"padding": "max_length", "max_length": 48} if model.config.model_type == "siglip" else {}
        tokens = tokenizer("A photo depicts " + text, return_tensors="pt", **padding)
        with torch.no_grad():
            output = model(**tokens, **pixels)
        vectors.append(output.text_embeds[0].numpy())
    return output.image_embeds[0].numpy(), vectors


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_scores_are_those_of_the_paper_computed_with_transformers_alone(kind, pictures, request):
    folder = request.getfixturevalue(kind)
    scores = scored(folder, pictures)
    for image, caption in HYPOTHESES.items():
        picture, (said, *people) = asked_directly(folder, pictures[image], [caption, *REFERENCES[image]])
        clip = 2.5 * max(0.0, float(picture @ said))
        nearest = max(0.0, *(float(said @ other) for other in people))
        harmonic = 2 / (1 / clip + 1 / nearest) if clip and nearest else 0.0
        assert scores.per_image["clip_score"][image] == pytest.approx(clip, abs=1e-5)
        assert scores.per_image["ref_clip_score"][image] == pytest.approx(harmonic, abs=1e-5)
    for name in BOTH:
        assert scores.values[name] == pytest.approx(np.mean(list(scores.per_image[name].values())))
        assert 0 < scores.values[name] <= JUDGES[name].best


def test_neither_order_nor_batches_nor_other_captions_change_a_score(clip, pictures):
    together = scored(clip, pictures).per_image
    turned = dict(reversed(HYPOTHESES.items()))
    assert scored(clip, pictures, turned).per_image == together
    for image in HYPOTHESES:
        alone = scored(clip, pictures, {image: HYPOTHESES[image]}, {image: REFERENCES[image]}, batch_size=1)
        for name in BOTH:
            assert alone.values[name] == pytest.approx(together[name][image], abs=1e-5)


def test_a_picture_may_be_a_file_and_is_oriented_as_a_person_sees_it(clip, pictures, tmp_path):
    from PIL import Image

    path, turned = tmp_path / "a.png", tmp_path / "turned.jpg"
    pictures["a.png"].save(path)
    exif = Image.Exif()
    exif[0x0112] = 3
    pictures["a.png"].rotate(180).save(turned, exif=exif, quality=100, subsampling=0)
    one = ({"a.png": HYPOTHESES["a.png"]}, {"a.png": REFERENCES["a.png"]})
    shown = scored(clip, pictures, *one).values["clip_score"]
    assert scored(clip, {"a.png": path}, *one).values["clip_score"] == shown
    assert scored(clip, {"a.png": turned}, *one).values["clip_score"] == pytest.approx(shown, abs=0.02)


def test_captions_that_are_too_long_are_cut_and_counted(clip, pictures):
    long = "a dog runs over the grass " * 4
    scores = scored(clip, pictures, HYPOTHESES | {"c.png": long})
    assert "1 of 3 texts was longer than its 48 tokens and was cut" in scores.normalization["clip_score"]
    assert "cut" not in scored(clip, pictures).normalization["clip_score"]
    same_beginning = scored(clip, pictures, HYPOTHESES | {"c.png": long + "but at its end a cat"})
    assert same_beginning.per_image == scores.per_image


def test_an_empty_caption_has_a_score_like_any_other(clip, pictures):
    scores = scored(clip, pictures, HYPOTHESES | {"c.png": ""}, REFERENCES | {"a.png": ("",)})
    assert all(np.isfinite(list(values.values())).all() for values in scores.per_image.values())


def test_the_result_names_model_and_prompt(clip, pictures):
    said = scored(clip, pictures).normalization["clip_score"]
    assert str(clip) in said
    assert "'A photo depicts '" in said


def test_a_picture_that_is_missing_or_broken_is_named(clip, pictures, tmp_path):
    two = {name: picture for name, picture in pictures.items() if name != "b.png"}
    with pytest.raises(JudgeError, match=r"no picture for 1 of 3 captions: 'b\.png'"):
        scored(clip, two)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(JudgeError, match=r"The picture of 'b\.png' cannot be scored: .*broken\.png"):
        scored(clip, two | {"b.png": tmp_path / "broken.png"})


def test_a_model_that_cannot_compare_pictures_with_texts_is_named(bert, tiny_checkpoint, pictures, tmp_path):
    with pytest.raises(ModelError, match="--clip-model") as error:
        scored(tiny_checkpoint, pictures)
    assert "'git'" in str(error.value)
    with pytest.raises(ModelError, match="how to prepare pictures"):
        scored(bert, pictures)
    with pytest.raises(ModelError, match=r"There is no model folder .*--clip-model"):
        scored(tmp_path / "nowhere", pictures)


def test_bf16_is_used_when_asked_for(clip, pictures):
    exact, rough = scored(clip, pictures), scored(clip, pictures, precision="bf16")
    assert rough.per_image != exact.per_image
    assert rough.values["clip_score"] == pytest.approx(exact.values["clip_score"], abs=0.1)
