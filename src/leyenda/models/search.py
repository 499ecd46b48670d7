"""Greedy and beam search over any decoder that can go on by one token: the results of `transformers`' own `generate`.

Captions that have ended leave the batch, so that the rest goes on alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

WORTH_LEAVING = 0.75
"""Finished pictures leave when at most this share of the batch is still at work: moving the others costs a copy."""

_NEVER = -1.0e9
"""Added to a score that must not win; the number of `transformers`, so that ties break alike."""


class Decoder(Protocol):
    """Captions being written, one row each, pictures apart and their beams together."""

    def start(self) -> torch.Tensor:
        """Float32 logits `[pictures, vocabulary]` of the first word."""

    def step(self, token_ids: torch.Tensor) -> torch.Tensor:
        """Float32 logits `[rows, vocabulary]` of the word after these; token_ids: int64 `[rows]`."""

    def look(self, token_ids: torch.Tensor) -> torch.Tensor:
        """As `step`, without going on: the next call is for other words in the place of these."""

    def expand(self, beams: int) -> None:
        """Make so many rows of each picture's one row."""

    def reorder(self, beams: torch.Tensor) -> None:
        """Row `[picture, beam]` goes on from the row that `beams`, int64 `[pictures, beams]`, names."""

    def keep(self, pictures: torch.Tensor) -> None:
        """Go on with these pictures only; pictures: int64, in rising order."""


@dataclass(frozen=True, slots=True)
class Written:
    """One caption: its ids, end token included, and the sum of their log-probabilities."""

    token_ids: tuple[int, ...]
    log_probability: float


@dataclass(frozen=True, slots=True)
class Limits:
    """When captions end.

    Args:
        longest: most tokens, the end token included.
        shortest: fewest tokens before the end token may come.
        ends: the ids that end a caption.
    """

    longest: int
    shortest: int
    ends: Sequence[int]


class Bans(Protocol):
    """Keeps words out of captions by what it does to scores; `leyenda.models.banned_words` has the one there is."""

    def __call__(
        self,
        written: Sequence[Sequence[int]],
        scores: torch.Tensor,
        look: Callable[[torch.Tensor], torch.Tensor],
        *,
        width: int,
        last: bool,
    ) -> torch.Tensor:
        """Float32 `[rows, vocabulary]` to the same shape."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of the captions' words.

    Args:
        bans: words that may not be written.
        given: for each picture, the ids that its caption goes on from; empty when none has any.
        accept: whether the caption of that picture may be of these ids: beams that may come before others. Where none
            may, the best is the caption all the same.
    """

    bans: Bans | None = None
    given: Sequence[Sequence[int]] = ()
    accept: Callable[[int, Sequence[int]], bool] | None = None

    def written(self, picture: int, token_ids: Sequence[int]) -> list[int]:
        """A picture's given ids and those of its caption."""
        return [*(self.given[picture] if self.given else ()), *token_ids]


NO_DEMANDS = Demands()


def drawn_from(beams: int, ends: int, sample: bool) -> int:
    """How many of a row's best words a search may take one of, as `Bans` asks.

    Args:
        beams: of the search.
        ends: how many ids end a caption.
        sample: words are drawn at random: the best 50 then stand for all.
    """
    if sample:
        return 50
    return 1 if beams == 1 else max(2, 1 + ends) * beams


class Choice(Protocol):
    """What changes logits before the greatest is taken; it follows when rows leave."""

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Float32 `[rows, vocabulary]` to the same shape."""

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows only."""


def greedy_search(
    decoder: Decoder,
    limits: Limits,
    choice: Choice | None = None,
    demands: Demands = NO_DEMANDS,
    draws: int = 1,
) -> list[Written]:
    """The most probable word each time, or the one that `choice` makes the greatest.

    Args:
        decoder: what the pictures are in.
        limits: when captions end.
        choice: see `Choice`; its rows are those of the captions.
        demands: what is asked of the words.
        draws: captions of each picture, which only `choice` can make different.

    Returns:
        So many captions per picture, one behind the other. Their log-probabilities are the model's own, before
        `choice`.
    """
    logits = decoder.start()
    if draws > 1:
        decoder.expand(draws)
        logits = logits.repeat_interleave(draws, dim=0)
    ends = torch.tensor(limits.ends, device=logits.device, dtype=torch.long)
    at_work = torch.arange(len(logits), device=logits.device)
    finished = torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
    token_ids: list[list[int]] = [[] for _ in range(len(logits))]
    sums = [0.0] * len(logits)
    for length in range(1, limits.longest + 1):
        scores = logits
        if length <= limits.shortest:
            scores = scores.index_fill(1, ends, float("-inf"))
        if demands.bans is not None:
            so_far = [demands.written(row // draws, token_ids[row]) for row in at_work.tolist()]
            width = drawn_from(1, len(ends), sample=choice is not None)
            last = length == limits.longest
            scores = demands.bans(so_far, scores, decoder.look, width=width, last=last)
        if choice is not None:
            scores = choice(scores)
        chosen = scores.argmax(dim=1)
        log_probabilities = logits.gather(1, chosen[:, None])[:, 0] - logits.logsumexp(dim=1)
        rows = zip(
            at_work.tolist(), finished.tolist(), chosen.tolist(), log_probabilities.tolist(), strict=True
        )
        for row, done, token, log_probability in rows:
            if not done:
                token_ids[row].append(token)
                sums[row] += log_probability
        finished |= torch.isin(chosen, ends)
        if length == limits.longest or bool(finished.all()):
            break
        # A picture leaves with the last of its captions: its rows share what the decoder keeps of it.
        of_pictures = ~finished.view(-1, draws).all(dim=1)
        if int(of_pictures.sum()) <= WORTH_LEAVING * len(of_pictures):
            decoder.keep(of_pictures.nonzero()[:, 0])
            going = of_pictures.repeat_interleave(draws).nonzero()[:, 0]
            if choice is not None:
                choice.keep(going)
            at_work, chosen, finished = at_work[going], chosen[going], finished[going]
        logits = decoder.step(chosen)
    return [Written(tuple(ids), total) for ids, total in zip(token_ids, sums, strict=True)]


@dataclass(slots=True)
class _Beams:
    """Hypotheses of the pictures at work; every tensor begins with `[pictures, beams]`."""

    token_ids: torch.Tensor  # [pictures, beams, longest]
    sums: torch.Tensor  # of log-probabilities
    scores: torch.Tensor  # sums with the length penalty, where the hypothesis has ended
    lengths: torch.Tensor
    ended: torch.Tensor

    def pick(self, choice: torch.Tensor) -> _Beams:
        """Those that `choice`, int64 `[pictures, beams]`, names."""
        return _Beams(
            self.token_ids.take_along_dim(choice[:, :, None], dim=1),
            *(
                part.take_along_dim(choice, dim=1)
                for part in (self.sums, self.scores, self.lengths, self.ended)
            ),
        )

    def of(self, pictures: torch.Tensor) -> _Beams:
        """Those of these pictures."""
        parts = (self.token_ids, self.sums, self.scores, self.lengths, self.ended)
        return _Beams(*(part[pictures] for part in parts))

    def and_also(self, others: _Beams) -> _Beams:
        """Both, side by side."""
        pairs = (
            (self.token_ids, others.token_ids),
            (self.sums, others.sums),
            (self.scores, others.scores),
            (self.lengths, others.lengths),
            (self.ended, others.ended),
        )
        return _Beams(*(torch.cat(pair, dim=1) for pair in pairs))


def beam_search(
    decoder: Decoder,
    beams: int,
    limits: Limits,
    *,
    length_penalty: float = 1.0,
    early_stopping: bool | str = False,
    demands: Demands = NO_DEMANDS,
) -> list[Written]:
    """The most probable caption among `beams` that grow side by side.

    Args:
        decoder: what the pictures are in.
        beams: at least 2.
        limits: when captions end.
        length_penalty: captions are compared by the sum of their log-probabilities over their length to this power.
        early_stopping: as `transformers` has it: True ends a picture with its `beams`-th finished caption; False when
            the best running one cannot win at its present length; "never" when it cannot win at any.
        demands: what is asked of the words.

    Returns:
        One caption per picture.
    """
    logits = decoder.start()
    device, vocabulary = logits.device, logits.shape[1]
    ends = torch.tensor(limits.ends, device=device, dtype=torch.long)
    kept = drawn_from(beams, len(ends), sample=False)
    in_front = torch.arange(kept, device=device) < beams
    decoder.expand(beams)
    logits = logits.repeat_interleave(beams, dim=0)
    at_work = torch.arange(len(logits) // beams, device=device)
    running, finished = _no_beams(len(at_work), beams, limits.longest, device)
    improvable = torch.ones((len(at_work), 1), dtype=torch.bool, device=device)
    results: list[Written | None] = [None] * len(at_work)
    for length in range(1, limits.longest + 1):
        log_probabilities = logits.log_softmax(dim=1)
        if length <= limits.shortest:
            log_probabilities.index_fill_(1, ends, float("-inf"))
        if demands.bans is not None:
            so_far = [
                demands.written(picture, ids)
                for picture, of_picture in zip(
                    at_work.tolist(), running.token_ids[:, :, : length - 1].tolist(), strict=True
                )
                for ids in of_picture
            ]
            log_probabilities = demands.bans(
                so_far, log_probabilities, decoder.look, width=kept, last=length == limits.longest
            )
        sums = log_probabilities.view(-1, beams, vocabulary) + running.sums[:, :, None]
        best, places = sums.flatten(1).topk(kept)
        sources, words = places // vocabulary, places % vocabulary
        grown = running.pick(sources)
        grown.token_ids[:, :, length - 1] = words
        grown.sums = best
        grown.ended = torch.isin(words, ends) | (length == limits.longest)
        grown.lengths = torch.full_like(sources, length)

        going_on = (best + grown.ended.float() * _NEVER).topk(beams).indices
        running = grown.pick(going_on)
        running.sums = running.sums + running.ended.float() * _NEVER

        grown.ended = grown.ended & in_front
        full = finished.ended.all(dim=1, keepdim=True) & (early_stopping is True)
        grown.scores = best / (length**length_penalty)
        for shut in (full.expand_as(best), ~improvable.expand_as(best), ~grown.ended):
            grown.scores = grown.scores + shut.float() * _NEVER
        both = finished.and_also(grown)
        finished = both.pick(both.scores.topk(beams).indices)

        longest = limits.longest if early_stopping == "never" and length_penalty > 0.0 else length
        possible = running.sums[:, :1] / (longest**length_penalty)
        worst = torch.where(finished.ended, finished.scores.min(dim=1, keepdim=True).values, _NEVER)
        improvable = improvable & (possible > worst).any(dim=1, keepdim=True)
        done = ~improvable[:, 0]
        if early_stopping is True:
            done = done | finished.ended.all(dim=1)
        if length == limits.longest:
            done = torch.ones_like(done)
        _hand_over(finished, at_work, done, results, demands)
        if bool(done.all()):
            break
        decoder.reorder(sources.take_along_dim(going_on, dim=1))
        going = (~done).nonzero()[:, 0]
        if len(going) <= WORTH_LEAVING * len(done):
            decoder.keep(going)
            at_work, improvable = at_work[going], improvable[going]
            running, finished = running.of(going), finished.of(going)
        logits = decoder.step(running.token_ids[:, :, length - 1].flatten())
    return [result for result in results if result is not None]


def _no_beams(pictures: int, beams: int, longest: int, device: torch.device) -> tuple[_Beams, _Beams]:
    """What runs and what has finished before the first word: one empty hypothesis a picture, and none."""

    def empty(**changes: Any) -> _Beams:
        shape = (pictures, beams)
        return _Beams(
            torch.zeros((*shape, longest), dtype=torch.long, device=device),
            changes["sums"],
            torch.full(shape, _NEVER, device=device),
            torch.zeros(shape, dtype=torch.long, device=device),
            torch.zeros(shape, dtype=torch.bool, device=device),
        )

    sums = torch.full((pictures, beams), _NEVER, device=device)
    sums[:, 0] = 0.0  # the others would be copies of the first
    return empty(sums=sums), empty(sums=torch.zeros((pictures, beams), device=device))


def _hand_over(
    finished: _Beams,
    at_work: torch.Tensor,
    done: torch.Tensor,
    results: list[Written | None],
    demands: Demands,
) -> None:
    """Write down the best caption of each picture that is done; one that stayed in the batch keeps its first."""
    for row in done.nonzero()[:, 0].tolist():
        picture = int(at_work[row])
        if results[picture] is None:
            best = _beam(finished, row, 0)
            if demands.accept is not None:
                ended = finished.ended[row].nonzero()[:, 0].tolist()
                in_order = (_beam(finished, row, beam) for beam in ended)
                best = next((one for one in in_order if demands.accept(picture, one.token_ids)), best)
            results[picture] = best


def _beam(finished: _Beams, row: int, beam: int) -> Written:
    length = int(finished.lengths[row, beam])
    token_ids = tuple(finished.token_ids[row, beam, :length].tolist())
    return Written(token_ids, float(finished.sums[row, beam]))
