"""What a model's tokenizer cannot keep of a caption: written as tokens, read back, and compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from leyenda.data.progress import steps

_AT_ONCE = 1024


def losses(
    captions: Sequence[str], tokenizer: Any, max_caption_tokens: int | None = None
) -> Iterator[list[tuple[str, str]]]:
    """For each caption, in order, what is lost of it.

    White space is not compared: tokenizers put it back by rule.

    Args:
        captions: the captions as their source writes them.
        tokenizer: a `transformers` tokenizer.
        max_caption_tokens: longest caption in tokens, the special ones included; None for no limit.

    Yields:
        Pairs of kind (`unknown_token`, `lost_case`, `lost_accent`, `changed`, `too_long`) and message.
    """
    special = tokenizer.num_special_tokens_to_add()
    with steps("Checking captions", len(captions)) as step:
        for start in range(0, len(captions), _AT_ONCE):
            some = list(captions[start : start + _AT_ONCE])
            tokens = tokenizer(some, add_special_tokens=False, verbose=False).input_ids
            read_back = tokenizer.batch_decode(tokens, clean_up_tokenization_spaces=False)
            for caption, ids, text in zip(some, tokens, read_back, strict=True):
                step()
                found = list(_unknown(caption, ids, tokenizer)) or list(_altered(caption, text))
                yield found + list(_too_long(caption, len(ids) + special, max_caption_tokens))


def _unknown(caption: str, ids: list[int], tokenizer: Any) -> Iterator[tuple[str, str]]:
    unknown = tokenizer.unk_token_id
    if unknown is None or unknown not in ids:
        return
    words = [
        word
        for word in dict.fromkeys(caption.split())
        if unknown in tokenizer(word, add_special_tokens=False).input_ids
    ]
    shown = ", ".join(repr(word) for word in words[:5]) or repr(caption)
    yield "unknown_token", f"The model's tokenizer does not know {shown}."


def _altered(caption: str, read_back: str) -> Iterator[tuple[str, str]]:
    wanted, got = _squeezed(caption), _squeezed(read_back)
    if wanted == got:
        return
    shown = f"{caption!r} comes back as {read_back.strip()!r}."
    if _plain(wanted).casefold() != _plain(got).casefold():
        yield "changed", shown
        return
    if _plain(wanted) != _plain(got):
        yield "lost_case", shown
    if wanted.casefold() != got.casefold():
        yield "lost_accent", shown


def _too_long(caption: str, tokens: int, limit: int | None) -> Iterator[tuple[str, str]]:
    if limit is not None and tokens > limit:
        start = caption if len(caption) <= 60 else caption[:57] + "..."
        yield "too_long", f"{start!r} has {tokens} tokens; what is beyond {limit} is cut."


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def _plain(text: str) -> str:
    """Without accents: letters keep their base, marks go."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
