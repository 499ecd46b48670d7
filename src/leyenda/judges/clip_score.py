"""CLIPScore and RefCLIPScore: does the caption fit the picture, to the eye of a CLIP or SigLIP?

Hessel et al., "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", 2021, arXiv:2104.08718.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leyenda.errors import ImageError, JudgeError, ModelError
from leyenda.images import PictureLike, open_picture
from leyenda.judges.batches import by_length, in_batches
from leyenda.judges.checkpoints import cut_note, load_judge, most_tokens
from leyenda.judges.equipment import Equipment
from leyenda.judges.vectors import best_cosines, unit_vectors
from leyenda.metrics.corpus import Corpus, Floats, Measurement

WEIGHT = 2.5
PROMPT = "A photo depicts "

_PADS_TO_THE_END = ("siglip", "siglip2")
"""They were trained on texts of one length, and look at the last position."""


class PictureTextModel:
    """A CLIP or SigLIP: pictures and texts become vectors of length 1 in one space.

    Args:
        name: what the user calls it.
        model: a `transformers` model with `get_image_features` and `get_text_features`.
        tokenizer: its tokenizer.
        image_processor: prepares pictures as it was trained: resized (bicubic), cropped, normalised.
        batch_size: texts or pictures at a time.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, image_processor: Any, batch_size: int) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._image_processor = image_processor
        self._batch_size = batch_size
        self._texts: dict[str, Floats] = {}
        self._pictures: dict[str, Floats] = {}
        self._pads_to_the_end = model.config.model_type in _PADS_TO_THE_END
        self.most_tokens = most_tokens(tokenizer, model.config.text_config)

    @classmethod
    def load(cls, name: str | Path, equipment: Equipment) -> PictureTextModel:
        """The checkpoint of that name.

        Raises:
            ModelError: it cannot be found or read, or does not compare pictures with texts.
        """
        others = ("AutoTokenizer", "AutoImageProcessor")
        model, tokenizer, image_processor = load_judge(name, "--clip-model", "AutoModel", others, equipment)
        able = all(hasattr(model, method) for method in ("get_image_features", "get_text_features"))
        if not able or not hasattr(model.config, "text_config"):
            raise ModelError(
                f"{str(name)!r} is a {model.config.model_type!r} model, which does not compare pictures with texts.",
                "Name a CLIP or SigLIP, such as openai/clip-vit-base-patch32: --clip-model NAME",
            )
        return cls(str(name), model, tokenizer, image_processor, equipment.batch_size)

    def texts(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts, shape (texts, width), each of length 1; what was read before is remembered."""
        new = by_length([text for text in texts if text not in self._texts])
        self._texts.update(in_batches(new, self._batch_size, self._text_vectors, "Reading captions"))
        return np.array([self._texts[text] for text in texts])

    def pictures(self, pictures: Mapping[str, PictureLike], ids: Sequence[str]) -> Floats:
        """Vectors of the pictures of these ids, shape (ids, width), each of length 1.

        Raises:
            JudgeError: a picture cannot be used.
        """

        def vectors(batch: Sequence[str]) -> Floats:
            return self._picture_vectors([_opened(image, pictures[image]) for image in batch])

        new = sorted(set(ids) - self._pictures.keys())
        self._pictures.update(in_batches(new, self._batch_size, vectors, "Looking at pictures"))
        return np.array([self._pictures[image] for image in ids])

    def cut_note(self, texts: Sequence[str]) -> str:
        """What is said of those of the texts that are too long."""
        if self.most_tokens is None:
            return ""
        cut = sum(len(self._tokenizer(text, verbose=False)["input_ids"]) > self.most_tokens for text in texts)
        return cut_note(cut, len(texts), self.most_tokens)

    def _text_vectors(self, texts: Sequence[str]) -> Floats:
        inputs = self._tokenizer(
            list(texts),
            padding="max_length" if self._pads_to_the_end else True,
            truncation=self.most_tokens is not None,
            max_length=self.most_tokens,
            return_tensors="pt",
        ).to(self._model.device)
        return self._unit(self._model.get_text_features(**inputs))

    def _picture_vectors(self, pictures: Sequence[Any]) -> Floats:
        inputs = self._image_processor(images=list(pictures), return_tensors="pt").to(self._model.device)
        inputs["pixel_values"] = inputs["pixel_values"].to(self._model.dtype)
        return self._unit(self._model.get_image_features(**inputs))

    @staticmethod
    def _unit(features: Any) -> Floats:
        # transformers gives the features alone, or within an output, as its versions differ.
        return unit_vectors(getattr(features, "pooler_output", features))


def clip_score(corpus: Corpus, equipment: Equipment) -> Measurement:
    """CLIPScore: 2.5 times the cosine of picture and caption, or 0 where that is negative; the mean over images.

    The paper's prompt "A photo depicts " stands before every caption. References are not looked at. Values of
    different models cannot be compared.

    Raises:
        JudgeError: a picture cannot be used.
        ModelError: the model cannot be found or read.
    """
    texts = [PROMPT + text for text in corpus.hypotheses]
    return Measurement.mean(_clip_scores(corpus, equipment), _preparation(equipment.clip, texts))


def ref_clip_score(corpus: Corpus, equipment: Equipment) -> Measurement:
    """RefCLIPScore: the harmonic mean of CLIPScore and the best cosine of the caption with a reference.

    All texts carry the paper's prompt; a negative cosine counts as 0, and the harmonic mean with 0 is 0.

    Raises:
        JudgeError: a picture cannot be used.
        ModelError: the model cannot be found or read.
    """
    captions = [PROMPT + text for text in corpus.hypotheses]
    references = [PROMPT + text for texts in corpus.references for text in texts]
    model = equipment.clip
    to_picture = _clip_scores(corpus, equipment)
    to_people = best_cosines(model.texts(captions), model.texts(references), corpus).clip(0.0)
    both = to_picture + to_people
    harmonic = np.divide(2 * to_picture * to_people, both, out=np.zeros_like(both), where=both > 0)
    return Measurement.mean(harmonic, _preparation(model, captions + references))


def _clip_scores(corpus: Corpus, equipment: Equipment) -> Floats:
    assert equipment.pictures is not None
    pictures = equipment.clip.pictures(equipment.pictures, corpus.ids)
    captions = equipment.clip.texts([PROMPT + text for text in corpus.hypotheses])
    cosines = (pictures * captions).sum(axis=1).clip(0.0, 1.0)
    return np.asarray(WEIGHT * cosines)


def _preparation(model: PictureTextModel, texts: Sequence[str]) -> str:
    return f"{PROMPT!r} and the caption as it is, compared by {model.name!r}{model.cut_note(texts)}"


def _opened(image: str, picture: PictureLike) -> Any:
    try:
        return open_picture(picture)
    except ImageError as error:
        fix = error.fix or "Mend it, or leave the image out."
        raise JudgeError(f"The picture of {image!r} cannot be scored: {error.cause}", fix) from error
