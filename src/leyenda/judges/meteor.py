"""METEOR 1.5: words, stems, synonyms and paraphrases aligned by the official Java program.

Denkowski and Lavie, "Meteor Universal: Language Specific Translation Evaluation for Any Target Language", 2014.
"""

from __future__ import annotations

import atexit
import re
import threading
from collections.abc import Sequence

import numpy as np

from leyenda.judges.coco_jars import coco_folder
from leyenda.judges.equipment import Equipment
from leyenda.judges.java_process import SETTINGS, JavaProcess, find_java
from leyenda.metrics.corpus import Corpus, Floats, Measurement, Statistics
from leyenda.metrics.ptb_tokenizer import ptb_tokens

PURPOSE = "METEOR"
FILES = ("meteor-1.5.jar", "data/paraphrase-en.gz")
MEMORY = "-Xmx2G"
"""What the official wrapper gives it: the paraphrases alone take more than a gigabyte."""

NORMALIZATION = (
    "Penn Treebank tokens as in the official COCO caption evaluation: lower case, punctuation dropped; "
    "then METEOR 1.5's own normalisation, stems, synonyms and paraphrases, for English"
)

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
STAGE_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])
"""Of words matched exactly, by stem, by synonym, by paraphrase."""

_COLUMNS = 23


def check(_: Equipment) -> None:
    """See that Java and the jar are there.

    Raises:
        JudgeError: Java, or a file of METEOR, is absent.
        MissingExtra: the package with the jar is not installed.
    """
    coco_folder(PURPOSE, "meteor", FILES)
    find_java(PURPOSE)


def meteor(corpus: Corpus, _: Equipment) -> Measurement:
    """METEOR as the official COCO caption evaluation computes it.

    The Java program is started once and stays (it reads 60 MB of paraphrases first); it aligns each caption with the
    reference that suits it best, and the score is computed here from its counts. Captions are compared as English
    Penn Treebank tokens whatever the corpus's tokenizer is.

    Raises:
        JudgeError: Java is absent, or its program ends too early.
        MissingExtra: the package with the jar is not installed.
    """
    rows = alignments(corpus.hypotheses, corpus.references)
    value = float(score_of(rows.sum(axis=0)))
    return Measurement(value, score_of(rows), NORMALIZATION, Statistics(rows, score_of))


def alignments(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """METEOR's counts of every image's best alignment, shape (images, 23), as `score_of` takes them.

    A perfect match has no fragments: its chunk is not counted, so that sums of rows score as in the official program.
    """
    lines = [_question(text, texts) for text, texts in zip(hypotheses, references, strict=True)]
    rows = np.array([[float(number) for number in answer.split()] for answer in _PROGRAM.ask(lines)])
    assert rows.shape == (len(lines), _COLUMNS)
    perfect = (rows[:, 20] == 1) & (rows[:, 21] == rows[:, 0]) & (rows[:, 22] == rows[:, 1])
    rows[perfect, 20] = 0.0
    return rows


def score_of(sums: Floats) -> Floats:
    """METEOR from summed counts.

    Args:
        sums: shape (..., 23): words of caption and reference; function words of both; for each of the four stages the
            matched content words of both and function words of both; chunks; matched words of both.

    Returns:
        Scores in [0, 1], shape (...,).
    """
    lengths, function = sums[..., 0:2], sums[..., 2:4]
    weighted_lengths = DELTA * (lengths - function) + (1 - DELTA) * function
    stages = sums[..., 4:20].reshape(*sums.shape[:-1], 4, 4)
    matched = DELTA * stages[..., 0:2] + (1 - DELTA) * stages[..., 2:4]
    weighted = (STAGE_WEIGHTS[:, None] * matched).sum(axis=-2)
    share = np.divide(weighted, weighted_lengths, out=np.zeros_like(weighted), where=weighted_lengths > 0)
    precision, recall = share[..., 0], share[..., 1]
    below = ALPHA * precision + (1 - ALPHA) * recall
    mean = np.divide(precision * recall, below, out=np.zeros_like(below), where=below > 0)
    words = sums[..., 21:23].mean(axis=-1)
    fragments = np.divide(sums[..., 20], words, out=np.zeros_like(words), where=words > 0)
    return np.asarray(mean * (1 - GAMMA * fragments**BETA))


def _question(hypothesis: str, references: Sequence[str]) -> str:
    return " ||| ".join(["SCORE", *map(_words, references), _words(hypothesis)])


def _words(caption: str) -> str:
    """Tokens in one line; no token can hold what separates captions or questions."""
    return re.sub(r"\|\|\||[\r\n]", " ", " ".join(ptb_tokens(caption)))


class _Program:
    """The one METEOR of this process: started when first asked, and anew if it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._java: JavaProcess | None = None

    def ask(self, lines: Sequence[str]) -> list[str]:
        with self._lock:
            if self._java is None or not self._java.is_running:
                self._java = _started()
                atexit.register(self._java.close)
            return self._java.ask(lines)


def _started() -> JavaProcess:
    folder = coco_folder(PURPOSE, "meteor", FILES)
    java = find_java(PURPOSE)
    command = [java, MEMORY, *SETTINGS, "-jar", FILES[0], "-", "-", "-stdio", "-l", "en", "-norm"]
    return JavaProcess(PURPOSE, command, folder)


_PROGRAM = _Program()
