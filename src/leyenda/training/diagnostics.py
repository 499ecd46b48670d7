"""What a person wants to see at every evaluation: a few captions beside their references, and a warning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

SAME_CAPTION_SHARE = 0.5
"""From this share of pictures with one and the same caption on, a model is said to have collapsed."""

FEWEST_PICTURES = 5


def show_samples(captions: Mapping[str, str], references: Mapping[str, Sequence[str]], count: int) -> str:
    """A few pictures: what people wrote, what the model says.

    Args:
        captions: image id -> generated caption.
        references: image id -> its references.
        count: how many pictures; they are spread evenly over all.

    >>> print(show_samples({"a.jpg": "a cat"}, {"a.jpg": ["a dog", "the dog"]}, 1))
      a.jpg
        people: a dog | the dog
        model:  a cat
    """
    ids = list(captions)
    chosen = ids[:: max(1, len(ids) // max(count, 1))][:count]
    lines = []
    for image_id in chosen:
        people = " | ".join(references[image_id][:2])
        lines += [f"  {image_id}", f"    people: {people}", f"    model:  {captions[image_id]}"]
    return "\n".join(lines)


def collapse_warning(captions: Sequence[str], learning_rate: float) -> str | None:
    """Advice when the model says the same thing about most pictures, else None.

    Args:
        captions: one generated caption per picture.
        learning_rate: of the run, to advise a lower one.

    >>> collapse_warning(["a dog"] * 10, 5e-5).splitlines()[0]
    "Warning: the model says the same thing about 10 of 10 pictures: 'a dog'"
    >>> collapse_warning(["a dog", "a cat", "a bird", "a fish", "a cow"], 5e-5) is None
    True
    """
    if len(captions) < FEWEST_PICTURES:
        return None
    commonest, times = Counter(captions).most_common(1)[0]
    if times < SAME_CAPTION_SHARE * len(captions):
        return None
    return (
        f"Warning: the model says the same thing about {times} of {len(captions)} pictures: {commonest!r}\n"
        "  Early in training that is normal. If it lasts: lower the learning rate "
        f"(--set training.learning_rate={learning_rate / 5:g}), train longer, freeze the image encoder "
        "(--freeze image_encoder), or give more varied captions."
    )
