"""Options of the verbs that score captions: which scores, by what, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from leyenda.cli.shared_options import SOURCE_OPTIONS, device, source_options, token

JUDGE_OPTIONS = ("clip_model", "sentence_model", "language_model", "spice_jars", "device")
"""What judges are given, as `leyenda.judges.Equipment` takes it."""

METRICS = (
    *("wer", "wer_first", "mer", "wil", "cer", "rouge1", "rouge2", "rougeL", "rougeLsum"),
    *("bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider_d", "coco_rouge_l", "sacrebleu", "chrf", "distinct"),
)
JUDGES = (
    *("meteor", "spice", "clip_score", "ref_clip_score"),
    *("sentence_similarity", "perplexity", "perplexity_per_word"),
)
"""What `leyenda.metrics` and `leyenda.judges` have, written here so that `--help` need not load them."""

Command = TypeVar("Command", bound=Callable[..., Any])


def metric_options(command: Command) -> Command:
    """Which scores are computed, with what, and how words are made."""
    for option in reversed(
        (
            click.option(
                "--metrics",
                metavar="NAMES",
                help=f"Scores to compute, with commas between, or all (that need no model): {', '.join(METRICS)}; or "
                f"{', '.join(JUDGES)}.  [default: the usual ones]",
            ),
            click.option(
                "--tokenizer",
                type=click.Choice(["ptb", "unicode"]),
                metavar="ptb|unicode",
                help="What makes words of captions: ptb is for English, unicode for every language.  "
                "[default: ptb for en, unicode for es]",
            ),
            click.option(
                "--df",
                metavar="FILE|SOURCE",
                help="What CIDEr-D weighs n-grams by: a saved .npz file, or captions to count in.  "
                "[default: the references]",
            ),
            click.option(
                "--objects",
                metavar="FILE",
                help="Objects and words for them, one object a line: adds chair_i and chair_s.",
            ),
            click.option(
                "--annotations",
                metavar="FILE.json",
                help="Which of these objects each picture holds, beside those that its references name.",
            ),
            click.option(
                "--clip-model", metavar="NAME", help="A CLIP or SigLIP, for clip_score and ref_clip_score."
            ),
            click.option("--sentence-model", metavar="NAME", help="A text encoder, for sentence_similarity."),
            click.option("--language-model", metavar="NAME", help="A causal language model, for perplexity."),
            click.option(
                "--spice-jars",
                metavar="FOLDER",
                help="Jars of Stanford CoreNLP, for spice.  [default: LEYENDA_SPICE_JARS]",
            ),
            device,
            click.option(
                "--seed",
                type=click.IntRange(min=0),
                metavar="INTEGER",
                default=0,
                show_default=True,
                help="Of everything that is random.",
            ),
        )
    ):
        command = option(command)
    return command


def scoring_options(command: Command) -> Command:
    """References and scores; then how references are read."""
    command = metric_options(source_options(token(command)))
    for option in reversed(
        (
            click.option(
                "--references",
                metavar="SOURCE",
                help="What people wrote: JSON lines with references, COCO captions, or any source of pairs.  "
                "[default: those in the predictions]",
            ),
            click.option(
                "--split",
                metavar="NAME",
                default="all",
                show_default=True,
                help="Of the references: train, validation, test, or all.",
            ),
            click.option(
                "--language",
                type=click.Choice(["en", "es"]),
                metavar="en|es",
                default="en",
                show_default=True,
                help="Of the captions and the report; for captions in another language add --tokenizer unicode.",
            ),
            click.option(
                "--only-common",
                is_flag=True,
                help="Leave out pictures without a caption or without references, and say so.",
            ),
        )
    ):
        command = option(command)
    return command


def read_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options as `score`, `compare` and `evaluate` of `leyenda.jobs` take them."""
    from leyenda.jobs.score import chosen_names
    from leyenda.judges import Equipment

    reading = {name.rstrip("_"): options.pop(name) for name in SOURCE_OPTIONS}
    given = {name: options.pop(name) for name in JUDGE_OPTIONS}
    equipment = Equipment(**given, token=options["token"])
    return {
        "metric_names": chosen_names(options.pop("metrics")),
        "equipment": equipment,
        **options,
        **reading,
    }
