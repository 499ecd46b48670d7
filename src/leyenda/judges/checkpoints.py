"""Load a checkpoint that judges captions, and say with the right option what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leyenda.errors import ModelError

if TYPE_CHECKING:
    from leyenda.judges.equipment import Equipment

_UNLIMITED = 1_000_000
"""Tokenizers without a limit say a number far above this one."""

_COUNT_AFTER_PADDING = (
    "camembert",
    "data2vec-text",
    "longformer",
    "mpnet",
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
)
"""They begin to count positions after the id of the padding token."""


def load_judge(
    name: str | Path,
    option: str,
    model_class: str,
    other_classes: Sequence[str],
    equipment: Equipment,
    unused: tuple[str, ...] = (),
) -> list[Any]:
    """A checkpoint by its name, as `leyenda.models.loading.load_parts` gives it.

    Args:
        name: folder or hub id.
        option: what names it on the command line: `--clip-model`.
        model_class: the `transformers` auto class of the weights.
        other_classes: auto classes of what stands beside them.
        equipment: device, precision, token.
        unused: beginnings of names of weights that may be absent.

    Raises:
        ModelError: it cannot be found, fetched or read.
    """
    from leyenda.models.loading import load_parts

    try:
        return load_parts(
            name,
            model_class,
            other_classes,
            device=equipment.device,
            precision=equipment.precision,
            token=equipment.token,
            unused=unused,
        )
    except ModelError as error:
        if "demo" not in error.fix:
            raise
        # The demo model writes captions and judges none, so that advice does not fit here.
        fix = f"Name a folder with a checkpoint, or a hub id as OWNER/NAME: {option} NAME"
        raise ModelError(error.cause, fix) from error


def most_tokens(tokenizer: Any, config: Any) -> int | None:
    """How many tokens a text can have, special tokens included; None without a limit."""
    limits = [config.max_position_embeddings] if getattr(config, "max_position_embeddings", None) else []
    if limits and config.model_type in _COUNT_AFTER_PADDING:
        limits = [limits[0] - config.pad_token_id - 1]
    if tokenizer.model_max_length < _UNLIMITED:
        limits.append(tokenizer.model_max_length)
    return min(limits, default=None)


def cut_note(cut: int, texts: int, limit: int | None) -> str:
    """What is said of texts that were longer than the model's positions; empty when none was.

    >>> cut_note(2, 10, 77)
    '; 2 of 10 texts were longer than its 77 tokens and were cut'
    """
    verb = "was" if cut == 1 else "were"
    return f"; {cut} of {texts} texts {verb} longer than its {limit} tokens and {verb} cut" if cut else ""
