"""Captioning as sides of a comparison: the guide's `generate`, and leyenda's `Captioner`, both from picture files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.git_flops import GitShape
from benchmarks.guide_recipe import GuideCaptions
from benchmarks.material import NEW_TOKENS
from benchmarks.turns import Turns, Work

Tokens = list[tuple[int, ...]]


@dataclass(frozen=True)
class GuideCaptioning:
    """Processor, `transformers`' `generate`, `batch_decode`.

    Args:
        checkpoint: what captions.
        pictures: files, captioned once per turn.
        batch: pictures at a time.
        beams: of the search.
        number_format: `fp32`, or the one that the weights are cast to.
        device: `cpu` or `cuda`.
    """

    checkpoint: Path
    pictures: Sequence[Path]
    batch: int
    beams: int = 1
    number_format: str = "fp32"
    device: str = "cpu"

    @property
    def label(self) -> str:
        """Which search it is."""
        return f"transformers' generate, {self.number_format}, {_search(self.beams)}, batch {self.batch}"

    def run(self, turns: Turns) -> None:
        caption = GuideCaptions(
            self.checkpoint, self.device, self.number_format, max_new_tokens=NEW_TOKENS, num_beams=self.beams
        )
        shape = GitShape.of(caption.model.config)
        end = int(caption.model.generation_config.eos_token_id)
        caption(self.pictures[: self.batch])
        while True:
            turns.begin()
            tokens: Tokens = []
            for start in range(0, len(self.pictures), self.batch):
                _, ids = caption(self.pictures[start : start + self.batch])
                tokens += [_up_to_the_end(row[1:], end) for row in ids]  # the start token is given
            turns.end(caption_work(shape, tokens, self.beams))


@dataclass(frozen=True)
class OwnCaptioning:
    """`leyenda.Captioner`, from files to captions.

    Args:
        checkpoint: what captions.
        pictures: files, captioned once per turn.
        batch: pictures at a time.
        beams: of the search.
        precision: as for `Captioner.from_pretrained`.
        number_format: what the precision has to come out as.
        device: `cpu` or `cuda`.
    """

    checkpoint: Path
    pictures: Sequence[Path]
    batch: int
    beams: int = 1
    precision: str = "auto"
    number_format: str = "bf16"
    device: str = "cpu"

    @property
    def label(self) -> str:
        """Which precision and search it is."""
        auto = " (auto)" if self.precision == "auto" else ""
        return f"leyenda, {self.number_format}{auto}, {_search(self.beams)}, batch {self.batch}"

    def run(self, turns: Turns) -> None:
        from leyenda import Caption, Captioner

        captioner = Captioner.from_pretrained(
            self.checkpoint,
            precision=self.precision,
            beams=self.beams,
            max_length=NEW_TOKENS,
            batch_size=self.batch,
            device=self.device,
        )
        if self.number_format in ("fp32", "bf16"):
            weights = {"fp32": "float32", "bf16": "bfloat16"}[self.number_format]
            product = captioner.model.model.git.encoder.layer[0].attention.output.dense.weight
            assert str(product.dtype) == f"torch.{weights}", product.dtype
        shape = GitShape.of(captioner.model.model.config)
        list(captioner.stream(self.pictures[: self.batch]))
        while True:
            turns.begin()
            # One at a time is a question for an answer: nothing of the next picture may be begun before it is there.
            answers = map(captioner, self.pictures) if self.batch == 1 else captioner(self.pictures)
            tokens: Tokens = []
            for answer in answers:
                assert isinstance(answer, Caption), answer
                tokens.append(tuple(answer.token_ids))
            turns.end(caption_work(shape, tokens, self.beams))


def caption_work(shape: GitShape, tokens: Tokens, beams: int) -> Work:
    """What writing these captions needed."""
    flops = sum(shape.captioning(len(ids), beams) for ids in tokens)
    lengths = sum(len(ids) for ids in tokens)
    return Work(len(tokens), flops, notes={"new_tokens": lengths, "token_ids": tokens})


def _up_to_the_end(ids: list[int], end: int) -> tuple[int, ...]:
    """Without what `generate` fills finished rows with."""
    return tuple(ids[: ids.index(end) + 1] if end in ids else ids)


def _search(beams: int) -> str:
    return "greedy" if beams == 1 else f"{beams} beams"


def same_captions(turns: Mapping[str, Sequence[Work]]) -> None:
    """In fp32 both sides write the same tokens; in any format, as many of them.

    Raises:
        SystemExit: they do not, so that their speeds cannot be compared.
    """
    expected = turns["generate"][0].notes["token_ids"]
    if not any(len(ids) == NEW_TOKENS for ids in expected):
        raise SystemExit(
            "generate ended every caption early: these weights do not show the work of a whole caption."
        )
    exact = turns["leyenda_fp32"][0].notes["token_ids"]
    if exact != expected:
        differing = sum(one != other for one, other in zip(exact, expected, strict=True))
        raise SystemExit(f"In fp32, {differing} of {len(expected)} captions differ from generate's.")
    lengths = {
        key: works[0].notes["new_tokens"] for key, works in turns.items() if "new_tokens" in works[0].notes
    }
    if max(lengths.values()) > 1.05 * min(lengths.values()):
        raise SystemExit(f"The sides did not write as many tokens: {lengths}.")


def sides(
    checkpoint: Path,
    pictures: Sequence[Path],
    batch: int,
    beams: int,
    *,
    auto: str,
    others: Sequence[str] = (),
) -> dict[str, GuideCaptioning | OwnCaptioning]:
    """`generate`; leyenda as it comes; leyenda in fp32, which shows that the captions are the same; other precisions.

    Args:
        checkpoint: what captions.
        pictures: files.
        batch: pictures at a time.
        beams: of the search.
        auto: the number format that leyenda has to choose by itself.
        others: more precisions of leyenda to try.
    """

    def own(precision: str, number_format: str) -> OwnCaptioning:
        return OwnCaptioning(checkpoint, pictures, batch, beams, precision, number_format)

    return {
        "generate": GuideCaptioning(checkpoint, pictures, batch, beams),
        "leyenda": own("auto", auto),
        "leyenda_fp32": own("fp32", "fp32"),
        **{f"leyenda_{precision}": own(precision, precision) for precision in others},
    }
