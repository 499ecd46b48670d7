"""Turns, ratios and verdicts, with sides whose work is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.comparison import Benchmark, Claim, Target, added_memory, measure, rate
from benchmarks.turns import Player, Turns, Work

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Counting:
    """Does `units` of work in a second by its own account; holds some memory while it does."""

    units: int
    megabytes: int = 0
    label: str = "counting"
    number_format: str = "fp32"

    def run(self, turns: Turns) -> None:
        while True:
            turns.begin()
            held = bytearray(self.megabytes * MEGABYTE)
            held[::4096] = b"x" * len(held[::4096])
            turns.end(Work(self.units, flops=self.units * 1e9, seconds=1.0))


@dataclass(frozen=True)
class Failing:
    """Fails before its first turn."""

    label: str = "failing"
    number_format: str = "fp32"

    def run(self, turns: Turns) -> None:
        raise ValueError("the disk is on fire")


def compare(target: Target, tmp_path: Path) -> dict:
    benchmark = Benchmark(
        name="counting",
        work="Count.",
        unit="numbers",
        claims=[Claim("numbers/s", rate, "fast", "slow", target)],
        sides={"slow": Counting(10), "fast": Counting(50)},
        rounds=2,
    )
    return measure(benchmark, quick=True, results=tmp_path, in_threads=True)


def test_a_result_has_the_ratio_its_spread_and_both_sides(tmp_path: Path) -> None:
    result = compare(Target(at_least=4), tmp_path)
    assert result["ratio"] == {"median": 5.0, "min": 5.0, "max": 5.0}
    assert result["met"] is True
    assert result["sides"]["fast"]["per_second"]["median"] == 50
    assert result["sides"]["fast"]["flop_per_s"]["median"] == 50e9
    assert result["matrix_product_flop_per_s"]["fp32"] > 0
    assert json.loads((tmp_path / "counting.json").read_text()) == result


@pytest.mark.parametrize(
    ("target", "met"),
    [(Target(at_least=6), False), (Target(at_most=4), False), (Target(at_most=6), True), (Target(), True)],
)
def test_a_target_is_met_or_not(target: Target, met: bool, tmp_path: Path) -> None:
    assert compare(target, tmp_path)["met"] is met


def test_memory_is_that_of_the_turn_alone() -> None:
    player = Player(Counting(1, megabytes=64))
    try:
        works = [player.turn() for _ in range(2)]
    finally:
        player.finish()
    for work in works:
        assert 60 * MEGABYTE < added_memory(work) < 80 * MEGABYTE


def test_a_side_that_fails_says_why() -> None:
    with pytest.raises(SystemExit, match="failing: ValueError: the disk is on fire"):
        Player(Failing())
