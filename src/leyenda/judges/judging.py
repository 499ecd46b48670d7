"""Captions, references and pictures in; the scores of judges out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from leyenda.errors import JudgeError, LeyendaError
from leyenda.images import PictureLike
from leyenda.judges.equipment import Equipment
from leyenda.judges.registry import check, chosen
from leyenda.metrics.corpus import NAMED_IDS, Corpus, Measurement
from leyenda.records import Scores


def judge(
    names: Sequence[str],
    hypotheses: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    pictures: Mapping[str, PictureLike] | None = None,
    *,
    clip_model: str | Path | None = None,
    sentence_model: str | Path | None = None,
    language_model: str | Path | None = None,
    spice_jars: str | Path | None = None,
    device: str | None = None,
    precision: str = "fp32",
    batch_size: int = 32,
    token: str | None = None,
) -> Scores:
    """Score captions with models or Java programs.

    Args:
        names: names in `JUDGES`.
        hypotheses: image id -> the generated caption.
        references: image id -> what people wrote about it, at least one caption; the same ids.
        pictures: image id -> the picture, for CLIPScore.
        clip_model: folder or hub id of a CLIP or SigLIP.
        sentence_model: folder or hub id of a text encoder.
        language_model: folder or hub id of a causal language model.
        spice_jars: folder of the jars of Stanford CoreNLP 3.6.0; None takes that of `LEYENDA_SPICE_JARS`.
        device: `cpu`, `cuda`, `cuda:N`, `mps`; None takes the best one here.
        precision: `fp32`, or `auto`, `bf16`, `fp16`.
        batch_size: texts or pictures at a time; changes speed, not scores.
        token: access token for the hub; None takes the one that is logged in.

    Returns:
        The values in the order asked for, each image's own, and how each judge prepared the text.

    Raises:
        ScoreError: an unknown name, no images, ids on one side only, an image without references.
        JudgeError: something that a judge needs is absent, cannot be used, or fails.
        MissingExtra: the optional part of leyenda with the Java programs is not installed.
        ModelError: a model cannot be found, fetched or read.
    """
    corpus = Corpus.checked(hypotheses, references)
    equipment = Equipment(
        pictures, clip_model, sentence_model, language_model, spice_jars, device, precision, batch_size, token
    )
    found = measurements(names, corpus, equipment)
    return Scores(
        values={name: measurement.value for name, measurement in found.items()},
        per_image={
            name: dict(zip(corpus.ids, measurement.per_image.tolist(), strict=True))
            for name, measurement in found.items()
            if measurement.per_image is not None
        },
        normalization={name: measurement.normalization for name, measurement in found.items()},
        images=len(corpus.ids),
    )


def measurements(names: Iterable[str], corpus: Corpus, equipment: Equipment) -> dict[str, Measurement]:
    """What each judge says of a corpus, with the sums that intervals are computed from.

    Raises:
        LeyendaError: as for `judge`.
    """
    wanted = chosen(names)
    check([each.name for each in wanted], equipment)
    _check_batch_size(equipment.batch_size)
    if any("pictures" in each.needs for each in wanted):
        _check_pictures(corpus, equipment.pictures or {})
    return {each.name: each.measure(corpus, equipment) for each in wanted}


def _check_pictures(corpus: Corpus, pictures: Mapping[str, PictureLike]) -> None:
    bare = [image for image in corpus.ids if image not in pictures]
    if bare:
        some = ", ".join(map(repr, bare[:NAMED_IDS]))
        more = f" and {len(bare) - NAMED_IDS} more" if len(bare) > NAMED_IDS else ""
        raise JudgeError(
            f"There is no picture for {len(bare)} of {len(corpus.ids)} captions: {some}{more}.",
            "Give every picture, or leave out CLIPScore.",
        )


def _check_batch_size(batch_size: int) -> None:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise LeyendaError(f"The batch size is {batch_size!r}.", "It must be a whole number from 1 up.")
