"""Run the sides of a benchmark in turns, compare them round by round, write and print what came out."""

from __future__ import annotations

import datetime
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.matrix_product import FORMATS, MatrixProducts
from benchmarks.turns import Player, Side, Work

RESULTS = Path(__file__).with_name("results")

Figure = Callable[[Work], float]
"""What of a turn is compared."""


def rate(work: Work) -> float:
    """Units per second."""
    return work.units / work.seconds


def seconds_per_unit(work: Work) -> float:
    """Seconds for one unit."""
    return work.seconds / work.units


def flop_rate(work: Work) -> float:
    """Needed floating-point operations per second."""
    return work.flops / work.seconds


def added_memory(work: Work) -> float:
    """Bytes that the turn needed at most, above what was resident when it began."""
    return float(work.memory_peak - work.memory_before)


def peak_memory(work: Work) -> float:
    """Most resident bytes of the process in the turn."""
    return float(work.memory_peak)


@dataclass(frozen=True)
class Target:
    """What a ratio has to be.

    Args:
        at_least: lowest that will do; None for no such bound.
        at_most: highest that will do; None for no such bound.
        aim: what would be better still.
    """

    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None

    def met(self, ratio: float) -> bool:
        """Whether a ratio will do."""
        return (self.at_least is None or ratio >= self.at_least) and (
            self.at_most is None or ratio <= self.at_most
        )

    def as_json(self) -> dict[str, float]:
        """Only what is given."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Claim:
    """A ratio between two sides.

    Args:
        what: in words.
        figure: what of a turn is compared.
        over: key of the side above the line.
        under: key of the side below the line.
        target: what the median over the rounds has to be.
    """

    what: str
    figure: Figure
    over: str
    under: str
    target: Target


@dataclass(frozen=True)
class Benchmark:
    """One comparison.

    Args:
        name: as for `make bench ONLY=NAME`.
        work: what is done, in a sentence.
        unit: what is counted, in the plural.
        claims: the first is the benchmark's own, the others stand beside it.
        sides: by key, in the order of the first round; the next goes backwards, and so on.
        rounds: how many turns each side has.
        device: where the matrix products are measured: `cpu` or `cuda`.
        command: what runs it; empty for `make bench ONLY=NAME`.
        check: sees every side's turns before anything is written, and raises what makes the comparison void.
    """

    name: str
    work: str
    unit: str
    claims: Sequence[Claim]
    sides: Mapping[str, Side]
    rounds: int = 3
    device: str = "cpu"
    command: str = ""
    check: Callable[[Mapping[str, Sequence[Work]]], None] = lambda turns: None


MATRIX_PRODUCTS = "matrix_products"


def measure(
    benchmark: Benchmark, *, quick: bool, results: Path | None = RESULTS, in_threads: bool = False
) -> dict[str, Any]:
    """Run a benchmark, print it and write `NAME.json`.

    Args:
        benchmark: what to run.
        quick: whether this is a trial; its figures are marked so.
        results: folder of the JSON files; None writes none.
        in_threads: let the sides share this process, for trials that should take seconds.

    Returns:
        What the file holds.
    """
    sides = dict(benchmark.sides)
    sides.setdefault(MATRIX_PRODUCTS, MatrixProducts(scale=16 if quick else 1, device=benchmark.device))
    players: dict[str, Player] = {}
    turns: dict[str, list[Work]] = {key: [] for key in sides}
    try:
        for key, side in sides.items():
            say(f"  getting ready: {side.label}")
            players[key] = Player(side, in_thread=in_threads)
        for number in range(benchmark.rounds):
            for key in list(sides) if number % 2 == 0 else reversed(list(sides)):
                turns[key].append(players[key].turn())
                say(f"  round {number + 1}: {sides[key].label}: {turns[key][-1].seconds:.1f} s")
    finally:
        for player in players.values():
            player.finish()
    benchmark.check(turns)
    result = _result(benchmark, sides, turns, quick)
    if results is not None:
        results.mkdir(exist_ok=True)
        draft = results / f".{benchmark.name}.json"
        draft.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        draft.replace(results / f"{benchmark.name}.json")
    say(table(result))
    return result


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def _result(
    benchmark: Benchmark, sides: Mapping[str, Side], turns: Mapping[str, Sequence[Work]], quick: bool
) -> dict[str, Any]:
    claims = [_claim(claim, turns) for claim in benchmark.claims]
    ceilings = {
        name: statistics.median(
            max(work.notes["flop_per_s"][name].values()) for work in turns[MATRIX_PRODUCTS]
        )
        for name in FORMATS
    }
    return {
        "name": benchmark.name,
        "work": benchmark.work,
        "unit": benchmark.unit,
        **claims[0],
        "also": claims[1:],
        "all_met": all(claim["met"] for claim in claims),
        "sides": {
            key: _side(side, turns[key], ceilings) for key, side in sides.items() if key != MATRIX_PRODUCTS
        },
        "matrix_product_flop_per_s": ceilings,
        "quick": quick,
        "rounds": benchmark.rounds,
        "command": benchmark.command or f"make bench ONLY={benchmark.name}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(benchmark.device),
        "versions": versions(),
    }


def _claim(claim: Claim, turns: Mapping[str, Sequence[Work]]) -> dict[str, Any]:
    ratios = [
        claim.figure(over) / claim.figure(under)
        for over, under in zip(turns[claim.over], turns[claim.under], strict=True)
    ]
    ratio = _spread(ratios)
    return {
        "what": claim.what,
        "ratio": ratio,
        "target": claim.target.as_json(),
        "met": claim.target.met(ratio["median"]),
    }


def _side(side: Side, works: Sequence[Work], ceilings: Mapping[str, float]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "label": side.label,
        "number_format": side.number_format,
        "units_per_turn": works[0].units,
        "seconds_per_turn": _spread([work.seconds for work in works]),
        "per_second": _spread([rate(work) for work in works]),
        "peak_memory_bytes": max(work.memory_peak for work in works),
        "added_memory_bytes": int(max(added_memory(work) for work in works)),
    }
    if works[0].flops:
        achieved = _spread([flop_rate(work) for work in works])
        described["flop_per_s"] = achieved
        if side.number_format in ceilings:
            described["of_matrix_product_rate"] = round(achieved["median"] / ceilings[side.number_format], 4)
    told = {name: value for name, value in works[-1].notes.items() if isinstance(value, int | float | str)}
    return described | ({"notes": told} if told else {})


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        name: float(f"{value:.5g}")
        for name, value in (("median", statistics.median(values)), ("min", min(values)), ("max", max(values)))
    }


def table(result: Mapping[str, Any]) -> str:
    """A result for the terminal."""
    unit = result["unit"]
    rows = [("", f"{unit}/s", "spread", "GFLOP/s", "of matrix rate", "peak MB", "added MB")]
    for side in result["sides"].values():
        pace = side["per_second"]
        flops = side.get("flop_per_s", {}).get("median", 0)
        share = side.get("of_matrix_product_rate")
        rows.append(
            (
                side["label"],
                f"{pace['median']:.4g}",
                f"{pace['min']:.4g}-{pace['max']:.4g}",
                f"{flops / 1e9:.1f}" if flops else "",
                f"{share:.0%}" if share else "",
                f"{side['peak_memory_bytes'] / 1e6:.0f}",
                f"{side['added_memory_bytes'] / 1e6:.0f}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    ceilings = ", ".join(
        f"{name} {value / 1e9:.0f} GFLOP/s" for name, value in result["matrix_product_flop_per_s"].items()
    )
    verdicts = [verdict(claim) for claim in (result, *result["also"])]
    head = f"{result['name']}{' (a trial: the figures mean nothing)' if result['quick'] else ''}"
    return "\n".join([head, *lines, f"matrix products: {ceilings}", *verdicts])


def verdict(claim: Mapping[str, Any]) -> str:
    """One claim, its ratio and whether it holds."""
    ratio, target = claim["ratio"], claim["target"]
    words = {"at_least": "at least", "at_most": "at most", "aim": "aim"}
    wanted = ", ".join(f"{words[name]} {value:g}" for name, value in target.items())
    measured = f"{claim['what']}: {ratio['median']:.3g} ({ratio['min']:.3g} to {ratio['max']:.3g})"
    if not target:
        return f"measured: {measured}"
    return f"{'met' if claim['met'] else 'NOT MET'}: {measured}; {wanted}"
