"""What each token id adds to a text, for any tokenizer; and how a tokenizer writes a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def pieces(tokenizer: Any, entries: int) -> list[str]:
    """The text that each id adds behind a word: `cat` begins a new one (" cat"), `##er` goes on ("er").

    Args:
        tokenizer: of a checkpoint.
        entries: ids that the model can give; those that the tokenizer does not have add a space.

    Returns:
        One text an id; none for special tokens. Half a character, as some byte-level vocabularies have, is U+FFFD.
    """
    special = set(tokenizer.all_special_ids)
    anchor = next(
        token
        for token in range(entries)
        if token not in special and _decoded(tokenizer, [[token]])[0].isalpha()
    )
    before = _decoded(tokenizer, [[anchor]])[0]
    both = _decoded(tokenizer, [[anchor, token] for token in range(entries)])
    added = [text.removeprefix(before) for text in both]
    return ["" if token in special else text or " " for token, text in enumerate(added)]


def _decoded(tokenizer: Any, rows: Sequence[Sequence[int]]) -> list[str]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:  # in parallel and without Python in between
        return list(backend.decode_batch(rows, skip_special_tokens=True))
    return [str(tokenizer.decode(list(row), skip_special_tokens=True)) for row in rows]


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """A text's ids, without special tokens around them."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def as_written(tokenizer: Any, text: str) -> str:
    """A text as the model would write it: many vocabularies have no accents or no capitals.

    Returns:
        The text itself where the vocabulary lacks some of its letters.
    """
    ids = token_ids(tokenizer, text)
    if tokenizer.unk_token_id in ids:
        return text
    return str(tokenizer.decode(ids, skip_special_tokens=True)).strip() or text
