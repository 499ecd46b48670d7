"""The card that goes with the demo model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CARD = """---
license: apache-2.0
language:
  - en
  - es
library_name: transformers
pipeline_tag: image-to-text
---
# leyenda demo

A very small GIT model that captions toy scenes in English or Spanish. It ships with `leyenda` so that
`leyenda quickstart` has something to fine-tune where no model hub answers. It is a starting point for
training, not a captioner of photographs: shown one, it will speak of toys.

## How it was made
`make base` drew {pictures:,} pictures of toys (cars, cups, kites, windmills and twenty kinds more, in eleven
colours and eight places) with two English and two Spanish captions each, trained a new model on them for
{epochs} epochs and wrote this folder. No photograph, no text from elsewhere and no other model went into it.
It has never seen one of the quickstart's creatures, but some toys wear the faces that creatures have, and the
small things that creatures hold lie among the toys: those two are drawn by the same code.

## Scores
Greedy captions of {images} scenes that it was not trained on, against their four captions:

| score | model | one caption for all | captions shuffled |
| --- | --- | --- | --- |
{rows}

## Use
```python
from leyenda import Captioner

Captioner.from_pretrained("demo")("picture.png")
```
"""

_SHOWN = {
    "wer": "word error rate, nearest caption (lower is better)",
    "bleu_4": "BLEU-4",
    "rougeL": "ROUGE-L",
    "cider_d": "CIDEr-D",
    "distinct": "share of distinct captions",
}


def demo_card(evaluation: Mapping[str, Any], *, pictures: int, epochs: int) -> str:
    """The model card, in Markdown.

    Args:
        evaluation: what `leyenda evaluate --json` says about the model on the test scenes.
        pictures: how many scenes were drawn.
        epochs: how often each was trained on.
    """
    columns = (
        evaluation["metrics"],
        evaluation["controls"]["constant"],
        evaluation["controls"]["shuffled"],
    )
    rows = "\n".join(
        f"| {meaning} | " + " | ".join(f"{column[name]:.3f}" for column in columns) + " |"
        for name, meaning in _SHOWN.items()
        if all(name in column for column in columns)
    )
    return _CARD.format(pictures=pictures, epochs=epochs, images=evaluation["images"], rows=rows)
