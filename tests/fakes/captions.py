"""A few captions and what people wrote, by image."""

from __future__ import annotations

HYPOTHESES = {"a.png": "A dog runs.", "b.png": "two cats sleep on a red sofa", "c.png": "a"}
REFERENCES = {
    "a.png": ("A brown dog is running.", "the dog"),
    "b.png": ("cats",),
    "c.png": ("A bird!", "a", "nothing here"),
}
