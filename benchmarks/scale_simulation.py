"""How many hours a captioning job takes, and how much is done twice, by the number of machines and how often they fail.

    python -m benchmarks.scale_simulation --machines 10,100,1000 --failures 0,0.1,1

The pictures are cut into shards; a machine that has none takes the next. A machine that fails loses what it had done
since it last wrote its journal, pauses, and goes on in the same shard. Nothing here is measured: the figures that go
in are, and docs/scale.md says how. A seed gives the same numbers again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAY = 86_400.0
HOUR = 3_600.0

MOST_TRIES = 1_000.0
"""Times that a machine may have to begin the same pictures again, on average, before it has written them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """A job, its machines, and what goes wrong.

    Args:
        pictures: to caption.
        machines: that caption, with one model each.
        pace: pictures/s of one machine.
        spread: of the machines' paces: their standard deviation, of the pace (log-normal).
        slow_share: of the machines are stragglers, in [0, 1].
        slow_factor: how many times slower a straggler is.
        shard: pictures of a shard; the last one may be smaller.
        start: seconds before the first picture of a shard: a process and its model.
        failures: of one machine, per day of work; they come at random (Poisson).
        restart: seconds from a failure until the machine works again.
        kept_every: pictures after which a machine's work is safe. A failure costs what came after the last of them; as
            many as a shard has stand for tools that keep nothing of an unfinished shard.
        storage: bytes/s that the storage gives to all machines together.
        picture_bytes: bytes read for a picture.
        driver: pictures/s that one driver can hand out and write down for all machines.
        driver_failures: of the driver, per day; it stops every machine.
        driver_restart: seconds from such a failure until they work again.
        fixed_lists: every machine has its own list of shards from the start and helps no other.
        price: of a machine for an hour, in any currency.

    Raises:
        ValueError: a figure that makes no sense, or failures so frequent that the job would never end.
    """

    pictures: int = 100_000_000
    machines: int = 100
    pace: float = 4.0
    spread: float = 0.05
    slow_share: float = 0.02
    slow_factor: float = 3.0
    shard: int = 10_000
    start: float = 10.0
    failures: float = 0.1
    restart: float = 300.0
    kept_every: int = 16
    storage: float = math.inf
    picture_bytes: float = 100_000.0
    driver: float = math.inf
    driver_failures: float = 0.0
    driver_restart: float = 600.0
    fixed_lists: bool = False
    price: float = 1.0

    def __post_init__(self) -> None:
        for name in (
            "pictures",
            "machines",
            "pace",
            "shard",
            "kept_every",
            "storage",
            "picture_bytes",
            "driver",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        for name in ("spread", "start", "failures", "restart", "driver_failures", "driver_restart", "price"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if not 0 <= self.slow_share <= 1 or self.slow_factor < 1:
            raise ValueError("slow_share must lie between 0 and 1, and slow_factor must be 1 or more")
        if (tries := self.tries()) > MOST_TRIES:
            raise ValueError(
                f"machines fail so often that the slowest would begin each {self.kept_every_at_most} pictures "
                f"{tries:.3g} times; keep work more often (kept_every)"
            )

    @property
    def kept_every_at_most(self) -> int:
        """Pictures that are safe together; a shard's end makes them safe too."""
        return min(self.kept_every, self.shard, self.pictures)

    @property
    def ceiling(self) -> float:
        """Pictures/s that storage and driver allow, however many machines there are."""
        return min(self.storage / self.picture_bytes, self.driver)

    def tries(self) -> float:
        """How often the slowest machine has to begin the pictures that are kept together, on average."""
        pace = min(self.pace / (self.slow_factor if self.slow_share else 1), self.ceiling / self.machines)
        rate = (self.failures + self.driver_failures) / DAY
        return math.exp(min(rate * self.kept_every_at_most / pace, 700.0))


@dataclass(frozen=True)
class Outcome:
    """What came of a plan.

    Args:
        hours: from the start until the last picture.
        pictures_per_second: of the whole job.
        efficiency: the pictures, over what the machines could have captioned in that time if nothing ever held them up.
        failures: of machines.
        driver_failures: of the driver.
        redone: pictures that were captioned once more, because what they had got was lost.
        paused_hours: machine hours in which machines started or restarted.
        idle_hours: machine hours in which machines had nothing left to do, and others had.
        machine_hours: of all machines, from the start until the last picture.
        cost: of those.
    """

    hours: float
    pictures_per_second: float
    efficiency: float
    failures: float
    driver_failures: float
    redone: float
    paused_hours: float
    idle_hours: float
    machine_hours: float
    cost: float


def expected_lost(seconds: float, failures_per_second: float) -> float:
    """Seconds of work that failures cost, on average, until work of that length has been done in one piece.

    Failures are a Poisson process, and a failure costs all that was done: with rate f and length g,
    (exp(f g) - 1) / f - g. For rare failures that is about f g^2 / 2: half of the work, each time.

    >>> round(expected_lost(60, 1 / 86_400), 4)
    0.0208
    """
    if not failures_per_second:
        return 0.0
    return math.expm1(failures_per_second * seconds) / failures_per_second - seconds


def simulate(plan: Plan, seed: int = 0) -> Outcome:
    """Let the job run once."""
    return _Job(plan, np.random.default_rng(seed)).run()


class _Job:
    """A job under way: for each machine, what is left of its shard, and when it stops next."""

    def __init__(self, plan: Plan, chance: np.random.Generator) -> None:
        self.plan = plan
        self.chance = chance
        machines = plan.machines
        deviation = math.sqrt(math.log1p(plan.spread**2))
        self.pace = plan.pace * chance.lognormal(-(deviation**2) / 2, deviation, machines)
        self.pace[chance.random(machines) < plan.slow_share] /= plan.slow_factor
        self.size = np.zeros(machines)  # pictures of the shard in hand
        self.left = np.zeros(machines)  # of them, not yet captioned
        self.pause = np.zeros(machines)  # seconds until it works
        self.to_failure = self._next_failures(machines)  # seconds of work
        self.to_driver_failure = self._exponential(plan.driver_failures, 1)[0]
        self.shards = -(-plan.pictures // plan.shard)
        self.given = 0
        self.rounds = np.zeros(machines, np.int64)  # shards that a machine had, where lists are fixed
        self.seconds = self.paused = self.idle = self.redone = 0.0
        self.failures = self.driver_failures = 0

    def run(self) -> Outcome:
        self._give(np.arange(self.plan.machines))
        while (busy := self.left > 0).any():
            self._advance(busy)
        plan, hours = self.plan, self.seconds / HOUR
        return Outcome(
            hours=hours,
            pictures_per_second=plan.pictures / self.seconds,
            efficiency=plan.pictures / self.seconds / float(self.pace.sum()),
            failures=self.failures,
            driver_failures=self.driver_failures,
            redone=self.redone,
            paused_hours=self.paused / HOUR,
            idle_hours=self.idle / HOUR,
            machine_hours=plan.machines * hours,
            cost=plan.machines * hours * plan.price,
        )

    def _advance(self, busy: NDArray[np.bool_]) -> None:
        """Up to the next moment at which anything changes."""
        working = busy & (self.pause <= 0)
        speed = np.where(working, self.pace, 0.0)
        if (wanted := float(speed.sum())) > self.plan.ceiling:
            speed *= self.plan.ceiling / wanted
        pausing = busy & ~working
        with np.errstate(divide="ignore", invalid="ignore"):
            to_end = np.where(working, self.left / speed, math.inf)
        to_failure = np.where(working, self.to_failure, math.inf)
        to_work = np.where(pausing, self.pause, math.inf)
        step = min(to_end.min(), to_failure.min(), to_work.min(), self.to_driver_failure)

        self.seconds += step
        self.paused += step * np.count_nonzero(pausing)
        self.idle += step * np.count_nonzero(~busy)
        self.left -= step * speed
        self.to_failure -= step * working
        self.pause -= step * pausing
        self.to_driver_failure -= step

        soon = step * (1 + 1e-12)  # machines of the same pace end together, whatever the last digit says
        ended = to_end <= soon
        failed = (to_failure <= soon) & ~ended
        self.pause[to_work <= soon] = 0
        if failed.any():
            self._fail(failed)
        if self.to_driver_failure <= 0:
            self._fail_driver(busy & ~ended)
        if ended.any():
            self.left[ended] = 0
            self._give(np.flatnonzero(ended))

    def _fail(self, failed: NDArray[np.bool_]) -> None:
        self.failures += int(np.count_nonzero(failed))
        self._lose(failed, self.plan.restart)
        self.to_failure[failed] = self._next_failures(np.count_nonzero(failed))

    def _fail_driver(self, stopped: NDArray[np.bool_]) -> None:
        self.driver_failures += 1
        self._lose(stopped, self.plan.driver_restart)
        self.to_driver_failure = self._exponential(self.plan.driver_failures, 1)[0]

    def _lose(self, stopped: NDArray[np.bool_], pause: float) -> None:
        """What was done since the journal was last written is to be done again, after a pause."""
        lost = np.mod(self.size[stopped] - self.left[stopped], self.plan.kept_every)
        self.left[stopped] += lost
        self.redone += float(lost.sum())
        self.pause[stopped] = np.maximum(self.pause[stopped], pause)

    def _give(self, machines: NDArray[np.int64]) -> None:
        """The next shards to machines that have none, as long as there are any."""
        if self.plan.fixed_lists:
            numbers = machines + self.rounds[machines] * self.plan.machines
            self.rounds[machines] += 1
        else:
            numbers = np.arange(self.given, self.given + len(machines))
            self.given += len(machines)
        taking, numbers = machines[numbers < self.shards], numbers[numbers < self.shards]
        self.size[taking] = np.minimum(self.plan.shard, self.plan.pictures - numbers * self.plan.shard)
        self.left[taking] = self.size[taking]
        self.pause[taking] = self.plan.start

    def _next_failures(self, count: int) -> Floats:
        return self._exponential(self.plan.failures, count)

    def _exponential(self, per_day: float, count: int) -> Floats:
        return self.chance.exponential(DAY / per_day, count) if per_day else np.full(count, math.inf)


@dataclass(frozen=True)
class Row:
    """A plan and the mean of what came of it over several seeds.

    Args:
        plan: what was simulated.
        mean: of each figure.
        least: of each figure.
        greatest: of each figure.
    """

    plan: Plan
    mean: Outcome
    least: Outcome
    greatest: Outcome


def rows(plan: Plan, machines: Sequence[int], failures: Sequence[float], runs: int, seed: int) -> list[Row]:
    """Every number of machines with every rate of failures."""
    found = []
    for count in machines:
        for rate in failures:
            tried = dataclasses.replace(plan, machines=count, failures=rate)
            outcomes = [simulate(tried, seed + number) for number in range(runs)]
            found.append(Row(tried, *(_over(outcomes, summary) for summary in (statistics.fmean, min, max))))
    return found


def _over(outcomes: Sequence[Outcome], summary: Callable[[Sequence[float]], float]) -> Outcome:
    fields = [field.name for field in dataclasses.fields(Outcome)]
    return Outcome(**{name: summary([getattr(one, name) for one in outcomes]) for name in fields})


def table(found: Sequence[Row]) -> str:
    """For the terminal and for a page in Markdown."""
    head = (
        "machines",
        "failures/day",
        "hours",
        "pictures/s",
        "of full speed",
        "failed",
        "redone",
        "paused h",
    )
    lines = [[*head, "idle h", "machine h", "cost"]]
    for row in found:
        mean = row.mean
        hours = f"{mean.hours:,.1f}"
        if row.greatest.hours > 1.01 * row.least.hours:
            hours += f" ({row.least.hours:,.1f} to {row.greatest.hours:,.1f})"
        lines.append(
            [
                f"{row.plan.machines:,}",
                f"{row.plan.failures:g}",
                hours,
                f"{mean.pictures_per_second:,.0f}",
                f"{mean.efficiency:.1%}",
                f"{mean.failures + mean.driver_failures:,.0f}",
                f"{mean.redone:,.0f} ({mean.redone / row.plan.pictures:.2%})",
                f"{mean.paused_hours:,.0f}",
                f"{mean.idle_hours:,.0f}",
                f"{mean.machine_hours:,.0f}",
                f"{mean.cost:,.0f}",
            ]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * (width - 1) + ":" for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


_HELP = {
    "pictures": "pictures to caption",
    "pace": "pictures/s of one machine",
    "spread": "standard deviation of the machines' paces, as a part of the pace",
    "slow_share": "part of the machines that are stragglers",
    "slow_factor": "how many times slower a straggler is",
    "shard": "pictures of a shard",
    "start": "seconds before the first picture of a shard",
    "restart": "seconds from a machine's failure until it works again",
    "kept_every": "pictures after which a machine's work is safe",
    "storage": "bytes/s that the storage gives to all machines together",
    "picture_bytes": "bytes read for a picture",
    "driver": "pictures/s that one driver can hand out and write down",
    "driver_failures": "failures of the driver per day",
    "driver_restart": "seconds from the driver's failure until all work again",
    "price": "price of a machine for an hour",
}


def _numbers(kind: Callable[[str], float]) -> Callable[[str], list[float]]:
    def parse(text: str) -> list[float]:
        return [kind(part) for part in text.split(",")]

    parse.__name__ = "list of numbers"
    return parse


def _whole(text: str) -> int:
    """A whole number that may be written `1e8`."""
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def main(words: Sequence[str] | None = None) -> int:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_simulation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--machines", type=_numbers(_whole), default=[10, 100, 1000], metavar="N,N,…")
    parser.add_argument(
        "--failures",
        type=_numbers(float),
        default=[0.0, 0.1, 1.0],
        metavar="N,N,…",
        help="of a machine, per day",
    )
    plain = Plan()
    for name, told in _HELP.items():
        default = getattr(plain, name)
        kind = _whole if isinstance(default, int) else float
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=default,
            metavar="N",
            help=f"{told} [{default:g}]",
        )
    parser.add_argument("--fixed-lists", action="store_true", help="every machine keeps to shards of its own")
    parser.add_argument("--runs", type=_whole, default=3, metavar="N", help="seeds to try [3]")
    parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="the first of them [0]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = vars(parser.parse_args(words))
    machines, failures, runs, seed, as_json = (
        arguments.pop(name) for name in ("machines", "failures", "runs", "seed", "json")
    )
    try:
        found = rows(Plan(**arguments), machines, failures, runs, seed)
    except ValueError as error:
        parser.error(str(error))
    if as_json:
        print(json.dumps([_finite(dataclasses.asdict(row)) for row in found], indent=2))
    else:
        print(table(found))
    return 0


def _finite(found: dict[str, object]) -> dict[str, object]:
    """JSON knows no infinity: no limit is null."""
    return {
        name: _finite(value) if isinstance(value, dict) else None if value == math.inf else value
        for name, value in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
