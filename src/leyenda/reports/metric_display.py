"""What a page says about a metric: its name, which way is better, and what it means in one line."""

from __future__ import annotations

from leyenda.metrics.meanings import LOWER_IS_BETTER, MEANINGS
from leyenda.records import Scores
from leyenda.reports.texts import TEXTS, Wording

TITLES = {
    "wer": "WER",
    "cer": "CER",
    "mer": "MER",
    "wil": "WIL",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "rougeLsum": "ROUGE-Lsum",
    "coco_rouge_l": "ROUGE-L (COCO)",
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "cider_d": "CIDEr-D",
    "sacrebleu": "BLEU (sacrebleu)",
    "chrf": "chrF",
    "chair_i": "CHAIRi",
    "chair_s": "CHAIRs",
    "meteor": "METEOR",
    "spice": "SPICE",
    "clip_score": "CLIPScore",
    "ref_clip_score": "RefCLIPScore",
}
"""Names that are the same in every language; a metric that is in no table goes by its own name."""


def title(name: str, say: Wording) -> str:
    """A metric's name as papers write it, or as the page's language has it.

    >>> from leyenda.reports.texts import wording
    >>> title("cider_d", wording("es")), title("distinct", wording("es")), title("my_metric", wording("en"))
    ('CIDEr-D', 'Distintas', 'my_metric')
    """
    key = f"metric_{name}"
    return say(key) if key in TEXTS else TITLES.get(name, name)


def is_lower_better(name: str) -> bool | None:
    """Whether a smaller value is better; None for a metric that nobody registered.

    >>> is_lower_better("wer"), is_lower_better("cider_d"), is_lower_better("unheard_of")
    (True, False, None)
    """
    return name in LOWER_IS_BETTER if name in MEANINGS else None


def direction(name: str, say: Wording) -> str:
    """Which way is better, in words; empty for a metric that nobody registered."""
    lower = is_lower_better(name)
    return "" if lower is None else say("lower" if lower else "higher")


def explanation(name: str, say: Wording) -> str:
    """What the score means, in one line of plain words; empty for a metric that nobody registered."""
    english, spanish = MEANINGS.get(name, ("", ""))
    return spanish if say.language == "es" else english


def interval(name: str, scores: Scores, say: Wording) -> str:
    """A score's 95% interval in words; empty where there is none.

    >>> from leyenda.reports.texts import wording
    >>> interval("wer", Scores({"wer": 0.5}, intervals={"wer": (0.41, 0.6)}), wording("en"))
    '0.410 to 0.600'
    """
    if name not in scores.intervals:
        return ""
    low, high = scores.intervals[name]
    return say("interval", low=say.number(low), high=say.number(high))


def normalizations(scores: Scores, say: Wording) -> list[tuple[str, list[str]]]:
    """How text was prepared -> the metrics that did so."""
    ways: dict[str, list[str]] = {}
    for name, how in scores.normalization.items():
        ways.setdefault(how, []).append(title(name, say))
    return list(ways.items())
