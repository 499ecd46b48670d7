"""The chance by which dropout takes states away, drawn anew from its seed wherever it is needed; see `chance.h`."""

from __future__ import annotations

from typing import NamedTuple

_FACES = 1 << 16


class Chance(NamedTuple):
    """Of each state by itself.

    Args:
        share: of states that are taken away, in [0, 1); it is rounded to a 65,536th.
        seed: from 0 to less than 2 ** 63; the same seed takes the same states away.

    >>> Chance(0.25, 1).faces, Chance(0.25, 1).times
    (49152, 1.3333333333333333)
    """

    share: float
    seed: int

    @property
    def faces(self) -> int:
        """Of 65,536 equally likely numbers so many leave a state; at most all but one."""
        return min(round((1 - self.share) * _FACES), _FACES - 1)

    @property
    def times(self) -> float:
        """What is left is scaled up by this, so that the mean stays."""
        return 1 / (1 - self.share)
