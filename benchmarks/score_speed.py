"""`score-speed`: tokens, BLEU, ROUGE-L and CIDEr-D of the same captions, against the official COCO evaluation.

The official side is the package `pycocoevalcap` (`leyenda[java]`), which needs a Java runtime. It
starts its tokenizer anew in every turn, as it does for every user; leyenda forgets the tokens of the turn before.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Benchmark, Claim, Target, rate
from benchmarks.material import Scale
from benchmarks.turns import Turns, Work

ORACLE = Path(__file__).resolve().parents[2] / "shared" / "oracle" / "coco-1000.json"
NAMES = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "coco_rouge_l", "cider_d")
MOST_MEMORY = 10**9
TOLERANCE = 1e-9
MISSING = {
    "captions": f"score-speed needs real captions: {ORACLE.name} in shared/oracle, beside this checkout.",
    "official": 'score-speed needs the official evaluation. Type: pip install "leyenda[java]"',
    "java": "score-speed needs Java for the official evaluation. Install a Java runtime, for instance version 17.",
}

Captions = tuple[dict[str, str], dict[str, list[str]]]


def captions(images: int) -> Captions:
    """Hypotheses and five or more references each: the real ones, then again and again with a word changed."""
    case = json.loads(ORACLE.read_text(encoding="utf-8"))
    ids = list(case["hypotheses"])
    words = [word for texts in case["references"].values() for text in texts for word in text.split()]
    chance = random.Random(0)

    def changed(text: str) -> str:
        said = text.split()
        if said:
            said[chance.randrange(len(said))] = chance.choice(words)
        return " ".join(said)

    hypotheses, references = {}, {}
    for number in range(images):
        image = ids[number % len(ids)]
        said, wanted = case["hypotheses"][image], case["references"][image]
        again = number >= len(ids)
        hypotheses[str(number)] = changed(said) if again else said
        references[str(number)] = [changed(text) for text in wanted] if again else wanted
    return hypotheses, references


@dataclass(frozen=True)
class Own:
    """`leyenda.metrics.score`.

    Args:
        label: what it is.
        images: how many are scored.
        names: which scores; None: the usual ones.
    """

    label: str
    images: int
    names: Sequence[str] | None = NAMES
    number_format: str = "fp64"

    def run(self, turns: Turns) -> None:
        from leyenda import metrics
        from leyenda.metrics.ptb_tokenizer import ptb_tokens

        hypotheses, references = captions(self.images)
        while True:
            ptb_tokens.cache_clear()
            turns.begin()
            values = metrics.score(hypotheses, references, self.names).values
            turns.end(Work(self.images, notes=dict(values)))


@dataclass(frozen=True)
class Official:
    """`pycocoevalcap`: its Java tokenizer, its BLEU, ROUGE and CIDEr classes."""

    label: str
    images: int
    number_format: str = "fp64"

    def run(self, turns: Turns) -> None:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
        from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

        hypotheses, references = captions(self.images)
        said = {image: [{"caption": text}] for image, text in hypotheses.items()}
        wanted = {image: [{"caption": text} for text in texts] for image, texts in references.items()}
        while True:
            turns.begin()
            with contextlib.redirect_stdout(io.StringIO()):
                res, gts = PTBTokenizer().tokenize(said), PTBTokenizer().tokenize(wanted)
                bleu = Bleu(4).compute_score(gts, res)[0]
                rouge = Rouge().compute_score(gts, res)[0]
                cider = Cider().compute_score(gts, res)[0]
            values = map(float, (*bleu, rouge, cider))
            turns.end(Work(self.images, notes=dict(zip(NAMES, values, strict=True))))


def benchmark(folder: Path, scale: Scale) -> Benchmark:
    """Nothing is written into `folder`."""
    del folder
    for missing, there in {
        "captions": ORACLE.is_file(),
        "official": importlib.util.find_spec("pycocoevalcap") is not None,
        "java": shutil.which("java") is not None,
    }.items():
        if not there:
            raise SystemExit(MISSING[missing])
    few, many, training = scale.of(1_000, 50), scale.of(40_000, 100), scale.of(100, 20)
    least_few, least_many = (0.0, 0.0) if scale.quick else (5.0, 3.0)
    return Benchmark(
        name="score-speed",
        work="Tokenize captions and references of COCO images; BLEU-1 to 4, ROUGE-L and CIDEr-D.",
        unit="images",
        claims=[
            Claim(
                f"images/s over the official code, {few:,} images",
                rate,
                "few",
                "official_few",
                Target(least_few),
            ),
            Claim(
                f"images/s over the official code, {many:,} images",
                rate,
                "many",
                "official_many",
                Target(least_many),
            ),
        ],
        sides={
            "official_few": Official(f"pycocoevalcap, {few:,} images", few),
            "few": Own(f"leyenda, {few:,} images", few),
            "official_many": Official(f"pycocoevalcap, {many:,} images", many),
            "many": Own(f"leyenda, {many:,} images", many),
            "training": Own(f"leyenda, {training} images, every usual score", training, None),
        },
        rounds=scale.of(5, 2),
        check=_same_scores,
    )


def _same_scores(turns: Mapping[str, Sequence[Work]]) -> None:
    """Both sides found the same, and ours in less than a gigabyte."""
    for own, official in (("few", "official_few"), ("many", "official_many")):
        for ours, theirs in zip(turns[own], turns[official], strict=True):
            for name in NAMES:
                difference = abs(ours.notes[name] - theirs.notes[name])
                assert difference <= TOLERANCE, f"{name} of {ours.units} images differs by {difference}"
            assert ours.memory_peak < MOST_MEMORY, f"{ours.memory_peak / 1e6:.0f} MB for {ours.units} images"
