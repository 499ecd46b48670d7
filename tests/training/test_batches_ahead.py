"""Batches are made ready in the background, in order, and no more of them than asked for."""

import threading

import pytest

from leyenda.training.batches_ahead import BatchesAhead


@pytest.fixture
def ahead():
    ahead = BatchesAhead()
    yield ahead
    ahead.close()


def test_order_end_and_thread(ahead):
    threads = set()

    def items():
        for number in range(5):
            threads.add(threading.current_thread())
            yield number

    source = items()
    ahead.open(source)
    assert ahead.take(2) == [0, 1]
    ahead.open(source)  # the same one goes on
    assert [ahead.take(2), ahead.take(2), ahead.take(1)] == [[2, 3], [4], []]
    assert threading.current_thread() not in threads
    assert len(threads) == 1


def test_few_are_ready_at_a_time(ahead):
    made = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    ahead.open(items())
    for taken in range(1, 10):
        ahead.take(1)
        assert len(made) <= taken + 2


def test_an_error_is_raised_where_the_item_is_taken(ahead):
    def items():
        yield "good"
        raise ValueError("bad picture")

    ahead.open(items())
    assert ahead.take(1) == ["good"]
    with pytest.raises(ValueError, match="bad picture"):
        ahead.take(1)


def test_another_source_or_the_end_stops_the_reading(ahead):
    before = threading.active_count()
    ahead.open(iter("abc"))
    assert ahead.take(1) == ["a"]
    ahead.open(iter("xyz"))
    assert ahead.take(1) == ["x"]
    ahead.close()
    assert threading.active_count() == before
