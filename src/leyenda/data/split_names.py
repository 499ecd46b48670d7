"""Which split a folder, a file or a column's value names."""

from __future__ import annotations

import re

SPLIT_OF_WORD = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What sources call the three splits, in lower case."""

_WORD_IN_NAME = re.compile(
    r"(?:^|[-_. ])(" + "|".join(sorted(SPLIT_OF_WORD, key=len, reverse=True)) + r")\d*(?:[-_. ]|$)",
    re.IGNORECASE,
)


def split_name(word: str | None) -> str | None:
    """The split that a column's value or a folder's name means; a name of the user's own stays as it is.

    >>> split_name("val"), split_name("Train"), split_name("zoo"), split_name("")
    ('validation', 'train', 'zoo', None)
    """
    word = (word or "").strip()
    return SPLIT_OF_WORD.get(word.lower(), word) or None


def split_of_folder(name: str) -> str | None:
    """The split that a folder of this name holds, or None when its name is none of the usual words."""
    return SPLIT_OF_WORD.get(name.lower())


def split_of_file(name: str) -> str | None:
    """The split that a file's name tells, or None.

    >>> [split_of_file(name) for name in ("train-00000-of-00002", "captions_val2017", "trains")]
    ['train', 'validation', None]
    """
    found = _WORD_IN_NAME.search(name)
    return SPLIT_OF_WORD[found.group(1).lower()] if found else None
