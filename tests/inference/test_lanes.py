"""Batches that share the cores: in order, each in a thread of its own, the same captions, and gone at the end."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from leyenda import Captioner, models
from leyenda.inference.lanes import Lanes
from leyenda.models import GenerationSettings
from leyenda.records import Caption, Skipped


@pytest.fixture
def threads():
    """Sets how many torch computes with; as before afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def pictures():
    random = np.random.default_rng(5)
    drawn = [random.integers(0, 256, (30 + n % 7, 50 - n % 9, 3), dtype=np.uint8) for n in range(37)]
    return [*drawn[:5], b"no picture", *drawn[5:20], b"", *drawn[20:]]


def test_each_batch_has_a_thread_with_its_share_of_the_cores(threads):
    threads(4)
    both = threading.Barrier(2, timeout=20)

    def work(number):
        if number < 4:
            both.wait()  # two batches are worked on at the same time, or nobody comes here
        return threading.current_thread().name, torch.get_num_threads()

    results = list(Lanes(2, 2).in_order(work, range(9)))
    assert [number for number, _ in results] == list(range(9))
    assert {share for _, (_, share) in results} == {2}
    assert threading.current_thread().name not in {name for _, (name, _) in results}
    assert torch.get_num_threads() == 4
    began_later: list[int] = []
    later = threading.Thread(target=lambda: began_later.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert began_later == [4]


def test_a_single_batch_has_all_cores(threads):
    threads(3)
    work = [(threading.current_thread(), 3)]
    results = Lanes(3, 1).in_order(lambda _: (threading.current_thread(), torch.get_num_threads()), ["one"])
    assert [result for _, result in results] == work
    assert list(Lanes(3, 1).in_order(len, [])) == []


def test_batches_are_read_no_further_than_needed():
    read = []

    def batches():
        for number in range(20):
            read.append(number)
            yield number

    for given, _ in enumerate(Lanes(2, 1).in_order(lambda number: number, batches()), start=1):
        assert len(read) <= given + 2


def test_who_stops_early_leaves_no_thread():
    results = Lanes(2, 1).in_order(lambda number: number, range(100))
    assert next(iter(results)) == (0, 0)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("(_serve)")]


@pytest.mark.parametrize(
    "settings",
    [
        GenerationSettings(max_length=8),
        GenerationSettings(max_length=8, beams=3),
        GenerationSettings(max_length=8, sample=True, seed=3),
    ],
    ids=["greedy", "beams", "sample"],
)
def test_captions_are_those_of_one_batch_after_the_other(tiny_checkpoint, pictures, threads, settings):
    model = models.load(tiny_checkpoint, device="cpu", captions_only=True)
    captioner = Captioner(model, settings, batch_size=4)

    def told():
        return [
            result.code if isinstance(result, Skipped) else result.token_ids for result in captioner(pictures)
        ]

    threads(1)
    assert captioner.lanes == Lanes(1, 1)
    expected = told()
    assert expected[5] == "not_an_image"
    threads(2)
    assert captioner.lanes == Lanes(2, 1)
    assert told() == expected
    threads(16)
    assert captioner.lanes == Lanes(4, 4)
    assert told() == expected


def test_models_that_transformers_searches_for_have_one_lane(tiny_checkpoint, threads):
    threads(4)
    slow = models.load(tiny_checkpoint, device="cpu", fast=False)
    assert Captioner(slow).lanes == Lanes(1, 1)


def test_memory_that_ends_in_all_lanes_is_said_once(tiny_checkpoint, pictures, threads, monkeypatch):
    threads(2)
    model = models.load(tiny_checkpoint, device="cpu")
    generate = type(model).generate
    both = threading.Barrier(2, timeout=20)
    failed = []

    def cramped(self, pixels, *rest, **named):
        if len(pixels) > 4:
            failed.append(len(pixels))
            both.wait()
            raise MemoryError
        return generate(self, pixels, *rest, **named)

    monkeypatch.setattr(type(model), "generate", cramped)
    said = []
    captioner = Captioner(model, GenerationSettings(max_length=4), batch_size=8, talk=said.append)
    results = captioner(pictures)
    assert failed == [8, 8]
    assert sum(isinstance(result, Caption) for result in results) == 37
    assert said == [
        "The memory of this machine is too small for 8 pictures together. Going on with 4 at a time."
    ]
