"""Threads that work ahead: bounded, in order, and gone when nobody asks any more."""

from __future__ import annotations

import threading
import time

import pytest

from leyenda.inference import ahead
from leyenda.inference.ahead import in_order_ahead, reading_threads


def working_threads() -> int:
    return sum(thread.name.endswith("(_serve)") for thread in threading.enumerate())


def wait_until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_results_come_in_order_whoever_is_done_first():
    later = threading.Event()

    def work(number):
        if number == 0:
            assert later.wait(20)  # the first is done after the third
        if number == 2:
            later.set()
        return number * 10

    results = list(in_order_ahead(work, range(50), ahead=4, threads=3))
    assert results == [(number, number * 10) for number in range(50)]


@pytest.fixture(autouse=True)
def no_threads_of_others():
    wait_until(lambda: working_threads() == 0)


@pytest.mark.parametrize(("how_far", "threads"), [(1, 1), (3, 2), (8, 20)])
def test_it_reads_and_works_no_further_ahead_than_asked(how_far, threads):
    read, done = [], []

    def inputs():
        for number in range(100):
            read.append(number)
            yield number

    results = in_order_ahead(done.append, inputs(), ahead=how_far, threads=threads)
    assert read == []
    for given, _ in enumerate(results, start=1):
        assert len(read) <= given + how_far
        assert len(done) <= given + how_far
        assert working_threads() <= min(threads, how_far + 1)
    assert len(done) == 100


def test_work_goes_on_while_the_caller_is_busy():
    done = []
    results = in_order_ahead(done.append, range(10), ahead=3, threads=1)
    next(results)
    wait_until(lambda: done == [0, 1, 2, 3])
    results.close()


def test_an_error_takes_the_place_of_its_result():
    def work(number):
        return 1 // (number - 3)

    results = in_order_ahead(work, range(10), ahead=5, threads=2)
    assert [next(results) for _ in range(3)] == [(0, -1), (1, -1), (2, -1)]
    with pytest.raises(ZeroDivisionError):
        next(results)
    wait_until(lambda: working_threads() == 0)


def test_an_error_of_the_inputs_is_the_caller_s():
    def inputs():
        yield 1
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        list(in_order_ahead(str, inputs(), ahead=2, threads=2))
    wait_until(lambda: working_threads() == 0)


def test_who_stops_asking_leaves_no_work_behind():
    done = []
    gate = threading.Event()

    def work(number):
        gate.wait(20)
        done.append(number)

    results = in_order_ahead(work, range(100), ahead=10, threads=2)
    threading.Timer(0.01, gate.set).start()
    next(results)
    gate.clear()
    count = len(done)
    threading.Timer(0.01, gate.set).start()
    results.close()
    # A decoder at work when the interpreter ends would abort the process: closing waits for it.
    assert working_threads() == 0
    assert len(done) <= count + 4  # those that were being worked on


def test_a_picture_that_never_comes_does_not_keep_who_stops(monkeypatch):
    monkeypatch.setattr(ahead, "_PATIENCE", 0.05)
    gate = threading.Event()
    results = in_order_ahead(lambda number: number or gate.wait(20), [1, 0], ahead=1, threads=2)
    next(results)
    results.close()
    assert working_threads() == 1
    gate.set()
    wait_until(lambda: working_threads() == 0)


def test_there_is_at_least_one_thread():
    assert reading_threads() >= 1
    assert list(in_order_ahead(str, [], ahead=1, threads=1)) == []
