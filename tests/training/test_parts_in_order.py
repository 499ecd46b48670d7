"""Parts pass in their order whatever each of them takes, and what is offered is done once, before its part passes."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from leyenda.training.parts_in_order import PartsInOrder


def run(order, lanes, work):
    with ThreadPoolExecutor(lanes) as pool:
        for one in [pool.submit(order.unless_one_fails, work, place) for place in range(lanes)]:
            one.result(60)


@pytest.mark.parametrize(("count", "lanes", "exchangeable"), [(1, 1, 0), (2, 2, 2), (23, 4, 2), (23, 4, 0)])
def test_any_durations(count, lanes, exchangeable):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    pauses = {number: [chance.random() * 0.004 for _ in range(8)] for number in range(count)}
    passed, done, at_once = [], [], threading.Lock()
    order = PartsInOrder(count, exchangeable)

    def work(place):
        while (number := order.take()) is not None:
            with order.offers() as offer:
                for task, pause in enumerate(pauses[number]):

                    def do(task=task, pause=pause, number=number):
                        time.sleep(pause)
                        done.append((number, task))

                    if not offer(do):
                        do()
            with order.turn_of(number):
                assert at_once.acquire(blocking=False), "two parts pass at the same time"
                assert sorted(task for other, task in done if other == number) == list(range(8))
                passed.append(number)
                at_once.release()
        order.help()
        assert len(passed) == count

    run(order, lanes, work)
    assert passed[exchangeable:] == list(range(exchangeable, count))
    assert sorted(passed) == list(range(count))


def test_who_has_no_part_does_all_that_is_offered_to_it():
    order, by = PartsInOrder(1, 0), []
    waiting = threading.Event()

    def work(place):
        number = order.take()
        if number is None:
            waiting.set()
            order.help()
            return
        assert waiting.wait(60)
        with order.offers() as offer:
            for expected in range(1, 6):
                while not offer(lambda: by.append(threading.current_thread())):
                    time.sleep(0.001)
                while len(by) < expected:
                    time.sleep(0.001)
        assert threading.current_thread() not in by
        with order.turn_of(number):
            pass

    run(order, 2, work)
    assert len(by) == 5


def test_one_that_fails_ends_the_others_and_is_what_is_told():
    order = PartsInOrder(5, 0)
    begun = threading.Barrier(3)
    after = []

    def work(place):
        number = order.take()
        begun.wait(60)
        if number == 0:
            raise ValueError("broken")
        with order.turn_of(number):
            after.append(number)

    with pytest.raises(ValueError, match="broken"):
        run(order, 3, work)
    assert after == []
    assert order.take() is None
