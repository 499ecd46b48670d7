"""Words that a model may not write, kept out while it searches and not cut out afterwards.

A banned word is only there when its last token is followed by one that does not go on with the word: "cat" is written
in "cat sits" and in "cat.", not in "caterpillar". So the token that completes a word stays possible, worth as much as
the model gives it times the probability that the word goes on behind it, for which the search looks one token ahead.
Behind it only tokens that go on with the word are allowed. What the model thought of the tokens (a caption's
confidence, and the sum by which beams are compared) is the same as without bans.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from leyenda.characters import classes, word_spans
from leyenda.models.vocabulary import as_written, pieces
from leyenda.text_control.phrases import holds, words_of

Look = Callable[[torch.Tensor], torch.Tensor]
"""Token ids `[rows]` to the logits `[rows, vocabulary]` behind them, without going on."""

_OTHER_WORD = "\ua66e"
"""Stands for an unfinished word that becomes none of the banned ones: a letter that no language needs."""

_SPACE = " "

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class _Choices:
    """What may follow a text.

    Args:
        banned: bool `[vocabulary]`: tokens with which a banned word stands in the text.
        completing: bool `[vocabulary]`: tokens with which it would, unless it goes on.
        held: the text ends with a banned word, so that all but those that go on with it are banned.
    """

    banned: torch.Tensor
    completing: torch.Tensor
    held: bool

    @property
    def free(self) -> torch.Tensor:
        """Tokens that are neither."""
        return ~(self.banned | self.completing)


class BannedWords:
    """Keeps words and phrases out of captions: of whole words, in any casing.

    Args:
        tokenizer: of the checkpoint.
        banned: words or phrases.
    """

    def __init__(self, tokenizer: Any, banned: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._pieces: list[str] = []
        self._goes_on: list[bool] = []
        spelled = (words_of(text) for phrase in banned for text in (phrase, as_written(tokenizer, phrase)))
        self._phrases = sorted({words for words in spelled if words}, key=len, reverse=True)
        self._last_words = re.compile("|".join(re.escape(words[-1]) for words in self._phrases))
        self._device = torch.device("cpu")
        self._after: dict[tuple[str, int], str] = {}
        self._choices: dict[str, _Choices] = {}

    def __call__(
        self, written: Sequence[Sequence[int]], scores: torch.Tensor, look: Look, *, width: int, last: bool
    ) -> torch.Tensor:
        """Scores of the next tokens in which no banned word can be written.

        Args:
            written: the ids of each row so far, its prompt included.
            scores: float `[rows, vocabulary]`: log-probabilities, or these and a constant a row.
            look: tells what would follow; asked only where a row would rather complete a banned word than take its
                `width`-th best other token.
            width: how many of a row's best tokens may be taken; among others the order does not matter.
            last: no token follows these.

        Returns:
            Float `[rows, vocabulary]`, a new tensor.
        """
        if not self._pieces:
            self._learn(scores.shape[1], scores.device)
        states = [self._state(row) for row in written]
        choices = [self._choices_after(state) for state in states]
        banned = torch.stack([each.banned for each in choices])
        completing = torch.stack([each.completing for each in choices])
        scores = scores.masked_fill(banned | completing if last else banned, _NEVER)
        self._share_out(scores, choices)
        if last or not bool(completing.any()):
            return scores
        others = scores.masked_fill(completing, _NEVER)
        enough = others.topk(min(width, others.shape[1]), dim=1).values[:, -1]
        waiting = completing.clone()
        while True:
            best, tokens = scores.masked_fill(~waiting, _NEVER).max(dim=1)
            asked = ((best > _NEVER) & (best >= enough)).tolist()
            if not any(asked):
                return scores.masked_fill_(waiting, _NEVER)
            logits = look(tokens).to(scores.dtype)
            for row, token in enumerate(tokens.tolist()):
                if asked[row]:
                    free = self._choices_after(self._step(states[row], token)).free
                    goes_on = logits[row].masked_fill(~free, _NEVER).logsumexp(0) - logits[row].logsumexp(0)
                    scores[row, token] += goes_on
                    waiting[row, token] = False

    def _learn(self, entries: int, device: torch.device) -> None:
        learned = [_folded(piece) for piece in pieces(self._tokenizer, entries)]
        self._goes_on = [classes(piece[:1]) in tuple("ahk0m") for piece in learned]
        self._device = device
        self._pieces = learned  # last: another thread takes it as a sign that everything is there

    def _share_out(self, scores: torch.Tensor, choices: Sequence[_Choices]) -> None:
        """Give back what the completing token was charged: only those that go on are left to share its score."""
        for row, each in enumerate(choices):
            if each.held:
                shared = scores[row].masked_fill(~each.free, _NEVER).logsumexp(0)
                if bool(shared.isfinite()):
                    scores[row] -= shared

    def _state(self, row: Sequence[int]) -> str:
        state = _SPACE
        for token in row:
            state = self._step(state, token)
        return state

    def _step(self, state: str, token: int) -> str:
        known = self._after.get((state, token))
        if known is None:
            known = self._after[state, token] = self._end_that_matters(state + self._pieces[token])
        return known

    def _end_that_matters(self, text: str) -> str:
        """The last words of a text that can become a banned phrase, or be one."""
        words, unfinished = _words_and_end(text)
        if not unfinished:
            kept = max((_overlap(words, phrase) for phrase in self._phrases), default=0)
            return " ".join(words[len(words) - kept :]) + _SPACE
        *before, begun = words
        beginnings = [
            number + 1
            for phrase in self._phrases
            for number in range(min(len(before), len(phrase) - 1) + 1)
            if phrase[number].startswith(begun) and tuple(before[len(before) - number :]) == phrase[:number]
        ]
        return " ".join(words[-max(beginnings) :]) if beginnings else _OTHER_WORD

    def _choices_after(self, state: str) -> _Choices:
        if state not in self._choices:
            self._choices[state] = self._choose(state)
        return self._choices[state]

    def _choose(self, state: str) -> _Choices:
        words, unfinished = _words_and_end(state)
        held = unfinished and any(tuple(words[-len(phrase) :]) == phrase for phrase in self._phrases)
        banned, completing = [], []
        for token, piece in enumerate(self._pieces):
            text = state + piece
            if held and not self._goes_on[token]:
                banned.append(token)
            elif self._last_words.search(text):
                then, unfinished = _words_and_end(text)
                if self._stands_in(then[:-1] if unfinished else then):
                    banned.append(token)
                elif self._stands_in(then):
                    completing.append(token)
        return _Choices(self._marked(banned), self._marked(completing), held)

    def _stands_in(self, words: Sequence[str]) -> bool:
        return any(holds(words, phrase) for phrase in self._phrases)

    def _marked(self, tokens: Sequence[int]) -> torch.Tensor:
        mask = torch.zeros(len(self._pieces), dtype=torch.bool)
        mask[torch.tensor(tokens, dtype=torch.long)] = True
        return mask.to(self._device)


def _folded(piece: str) -> str:
    """As `words_of` folds a text."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", piece).casefold())


def _words_and_end(text: str) -> tuple[list[str], bool]:
    """A folded text's words, and whether the last of them could go on."""
    spans = word_spans(text)
    unfinished = bool(spans) and spans[-1][1] == len(text) and classes(text[spans[-1][0]]) != "i"
    return [text[start:end] for start, end in spans], unfinished


def _overlap(words: Sequence[str], phrase: Sequence[str]) -> int:
    """How many of a text's last words are the first of a phrase, which has more."""
    most = min(len(words), len(phrase) - 1)
    return next((n for n in range(most, 0, -1) if tuple(words[-n:]) == tuple(phrase[:n])), 0)
