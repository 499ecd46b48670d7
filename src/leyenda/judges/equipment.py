"""What judges are given beside the captions: pictures, models, a folder of jars, and where to compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from leyenda.images import PictureLike

if TYPE_CHECKING:
    from leyenda.judges.clip_score import PictureTextModel
    from leyenda.judges.fluency import LanguageModel
    from leyenda.judges.sentence_similarity import SentenceEncoder


@dataclass
class Equipment:
    """Names of models, and the models once a judge asks for them: two judges of one model share it.

    Args:
        pictures: image id -> the picture.
        clip_model: folder or hub id of a CLIP or SigLIP.
        sentence_model: folder or hub id of a text encoder.
        language_model: folder or hub id of a causal language model.
        spice_jars: folder of the jars of Stanford CoreNLP.
        device: as for `leyenda.models.load`.
        precision: as for `leyenda.models.load`; fp32 by default, so that a score is the same on every machine.
        batch_size: texts or pictures at a time; changes speed, not scores.
        token: access token for the hub; None takes the one that is logged in.
    """

    pictures: Mapping[str, PictureLike] | None = field(default=None, repr=False)
    clip_model: str | Path | None = None
    sentence_model: str | Path | None = None
    language_model: str | Path | None = None
    spice_jars: str | Path | None = None
    device: str | None = None
    precision: str = "fp32"
    batch_size: int = 32
    token: str | None = field(default=None, repr=False)

    @cached_property
    def clip(self) -> PictureTextModel:
        """The loaded CLIP or SigLIP."""
        from leyenda.judges.clip_score import PictureTextModel

        assert self.clip_model is not None
        return PictureTextModel.load(self.clip_model, self)

    @cached_property
    def sentences(self) -> SentenceEncoder:
        """The loaded text encoder."""
        from leyenda.judges.sentence_similarity import SentenceEncoder

        assert self.sentence_model is not None
        return SentenceEncoder.load(self.sentence_model, self)

    @cached_property
    def language(self) -> LanguageModel:
        """The loaded language model."""
        from leyenda.judges.fluency import LanguageModel

        assert self.language_model is not None
        return LanguageModel.load(self.language_model, self)
