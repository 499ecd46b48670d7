"""Captions that go on from words that a user gives."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leyenda.models.vocabulary import token_ids


@dataclass(frozen=True, slots=True)
class Prompts:
    """What the captions of several pictures go on from.

    Args:
        texts: as the user wrote them; empty for a picture without.
        ids: of the model's vocabulary.
    """

    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, tokenizer: Any, texts: Sequence[str]) -> Prompts:
        """Prompts with the ids that a tokenizer gives them."""
        ids = (token_ids(tokenizer, text) if text.strip() else () for text in texts)
        return cls(tuple(texts), tuple(map(tuple, ids)))

    def __bool__(self) -> bool:
        """Whether any picture has one."""
        return any(self.ids)

    def part(self, pictures: Sequence[int]) -> Prompts:
        """Those of some of the pictures."""
        return Prompts(tuple(self.texts[one] for one in pictures), tuple(self.ids[one] for one in pictures))

    def caption(self, tokenizer: Any, picture: int, written: Sequence[int]) -> str:
        """The prompt, just as the user wrote it, and what the model wrote behind it.

        The vocabulary may lack capitals, accents or whole names; the prompt keeps them all the same.
        """
        text, ids = self.texts[picture], self.ids[picture]
        behind = str(tokenizer.decode(list(written), skip_special_tokens=True)).strip()
        if not ids:
            return behind
        before = str(tokenizer.decode(list(ids), skip_special_tokens=True))
        whole = str(tokenizer.decode([*ids, *written], skip_special_tokens=True))
        if whole.startswith(before):
            return text + whole[len(before) :].rstrip()
        return f"{text} {behind}".strip()


def alike(values: Sequence[Hashable]) -> Iterator[list[int]]:
    """Where the values stand that are equal, for each of them.

    >>> list(alike(["a", "b", "a"]))
    [[0, 2], [1]]
    """
    for value in dict.fromkeys(values):
        yield [place for place, other in enumerate(values) if other == value]
