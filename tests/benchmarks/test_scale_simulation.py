"""The simulation of large jobs agrees with what can be computed by hand."""

from __future__ import annotations

import json
import math

import pytest
from benchmarks.scale_simulation import DAY, Plan, expected_lost, main, simulate

CALM = {
    "machines": 4,
    "pace": 2.0,
    "spread": 0.0,
    "slow_share": 0.0,
    "failures": 0.0,
    "start": 0.0,
    "shard": 1000,
    "pictures": 40_000,
}
"""Ten shards of 500 seconds for each machine, and nothing that goes wrong."""


def test_without_failures_it_takes_the_time_of_the_pictures() -> None:
    outcome = simulate(Plan(**CALM, price=3.0))
    assert outcome.hours * 3600 == pytest.approx(40_000 / 4 / 2)
    assert outcome.pictures_per_second == pytest.approx(8)
    assert outcome.efficiency == pytest.approx(1)
    assert outcome.redone == outcome.failures == outcome.idle_hours == 0
    assert outcome.cost == pytest.approx(3 * 4 * 5000 / 3600)


def test_shards_that_do_not_divide_evenly_leave_machines_idle() -> None:
    """Nine shards for four machines: three rounds, in the last of which three machines have nothing."""
    outcome = simulate(Plan(**CALM | {"pictures": 8_100, "start": 7.0}))
    assert outcome.hours * 3600 == pytest.approx(2 * 507 + 57)
    assert outcome.idle_hours * 3600 == pytest.approx(3 * 57)
    assert outcome.paused_hours * 3600 == pytest.approx(9 * 7)


@pytest.mark.parametrize("kept_every", [150, 600, 10_000])
def test_failures_cost_what_a_poisson_process_costs(kept_every: int) -> None:
    """With rate f, a piece of g seconds is begun exp(f g) times, and takes (exp(f g) - 1) (1 / f + restart) seconds."""
    seed, rate, pieces, restart = 11, 1 / 600, 4_000, 30.0
    print("seed", seed)
    shard = 600  # pictures, and seconds: what is kept never spans two shards
    length = min(kept_every, shard)
    one = CALM | {"pace": 1.0, "machines": 1, "shard": shard, "pictures": pieces * length}
    outcome = simulate(Plan(**one | {"failures": rate * DAY}, kept_every=kept_every, restart=restart), seed)
    growth = math.exp(rate * length)
    again = growth - 1
    # Five standard deviations; the number of failures of a piece is geometric.
    tolerance = 5 * math.sqrt(pieces * growth * again)
    assert outcome.failures == pytest.approx(pieces * again, abs=tolerance)
    lost_deviation = math.sqrt(growth**2 - 2 * rate * length * growth - 1) / rate
    lost = pieces * expected_lost(length, rate)
    assert outcome.redone == pytest.approx(lost, abs=5 * lost_deviation * math.sqrt(pieces))
    assert outcome.paused_hours * 3600 == pytest.approx(outcome.failures * restart)
    # Every picture was captioned once, and those that were lost once more: no second is missing.
    seconds = one["pictures"] + outcome.redone + outcome.failures * restart
    assert outcome.hours * 3600 == pytest.approx(seconds)


def test_the_expected_loss_is_half_of_the_work_when_failures_are_rare() -> None:
    assert expected_lost(100, 1e-6) == pytest.approx(1e-6 * 100**2 / 2, rel=1e-4)
    assert expected_lost(100, 0) == 0


def test_storage_and_driver_bound_the_pace_however_many_machines_there_are() -> None:
    for limit in ({"storage": 300_000.0, "picture_bytes": 100_000.0}, {"driver": 3.0}):
        outcome = simulate(Plan(**CALM | {"machines": 40}, **limit))
        assert outcome.pictures_per_second == pytest.approx(3)


def test_a_straggler_holds_up_the_list_that_is_its_own() -> None:
    """With lists fixed beforehand the job is as slow as its slowest machine; from a common queue others help it."""
    slow = CALM | {"machines": 50, "pictures": 500_000, "slow_share": 0.1, "slow_factor": 3.0}
    fixed, common = (simulate(Plan(**slow, fixed_lists=fixed)) for fixed in (True, False))
    assert fixed.hours * 3600 == pytest.approx(10 * 500 * 3)
    assert common.hours * 3600 <= 500_000 / 2 / 45 + 1500


def test_a_driver_that_fails_stops_every_machine() -> None:
    plan = Plan(**CALM, driver_failures=2 * DAY / 5000, driver_restart=100.0, kept_every=50)
    outcomes = [simulate(plan, seed) for seed in range(100)]
    failures = sum(one.driver_failures for one in outcomes)
    seconds = sum(one.hours for one in outcomes) * 3600
    assert failures == pytest.approx(seconds * 2 / 5000, abs=5 * math.sqrt(failures))
    for one in outcomes:
        assert one.redone <= 4 * 50 * one.driver_failures
        assert one.paused_hours * 3600 <= 4 * 100 * one.driver_failures + 1e-6


def test_the_same_seed_prints_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--pictures",
        "1e5",
        "--shard",
        "1e3",
        "--machines",
        "3,7",
        "--failures",
        "0,50",
        "--runs",
        "2",
        "--json",
    ]
    printed = []
    for seed in ("1", "1", "2"):
        assert main([*words, "--seed", seed]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]
    found = json.loads(printed[0])
    assert [(row["plan"]["machines"], row["plan"]["failures"]) for row in found] == [
        (3, 0),
        (3, 50),
        (7, 0),
        (7, 50),
    ]
    assert found[1]["mean"]["redone"] > 0 == found[0]["mean"]["redone"]
    assert found[0]["plan"]["storage"] is None
    assert main([*words[:-1], "--seed", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 4
    assert len({len(line) for line in lines}) == 1


def test_a_job_that_would_never_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--failures", "100", "--kept-every", "1000000", "--shard", "1000000"])
    assert ended.value.code == 2
    assert "keep work more often" in capsys.readouterr().err
