"""Which device and number format are chosen, and what is said of those that are not there."""

from __future__ import annotations

import pytest
import torch

from leyenda.errors import ModelError
from leyenda.models.precision import choose_device, choose_inference_dtype, choose_training_precision

CPU = torch.device("cpu")
GPU = torch.device("cuda")


@pytest.fixture
def machine(monkeypatch):
    """A function that pretends what the machine has."""

    def pretend(*, cards=0, mps=False, gpu_bf16=True, cpu_bf16=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: gpu_bf16)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, probe, lambda: cpu_bf16, raising=False)

    return pretend


def test_the_best_device_here(machine):
    machine(cards=1, mps=True)
    assert choose_device().type == "cuda"
    machine(mps=True)
    assert choose_device().type == "mps"
    machine()
    assert choose_device().type == "cpu"


def test_a_named_device(machine):
    machine(cards=2, mps=True)
    for name in ("cpu", "cuda", "cuda:1", "mps"):
        assert str(choose_device(name)) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpu", "There is no device 'gpu'. Use cpu, cuda, cuda:N or mps."),
        ("", "There is no device ''."),
        ("cuda:7", "There is no device 'cuda:7' on this machine. The last one is cuda:0."),
        ("mps", "torch finds no MPS device on this machine. Use --device cpu."),
        ("meta", "leyenda does not run on the device 'meta'."),
    ],
)
def test_a_device_that_is_not_there(machine, name, words):
    machine(cards=1)
    with pytest.raises(ModelError) as caught:
        choose_device(name)
    assert str(caught.value).startswith(words)


def test_cuda_without_a_card(machine):
    machine()
    with pytest.raises(ModelError, match="torch finds no CUDA device"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("device", "has", "hidden_size", "expected"),
    [
        (GPU, {"cards": 1}, 32, "bf16"),
        (GPU, {"cards": 1, "gpu_bf16": False}, 32, "fp16"),
        (CPU, {"cpu_bf16": True}, 768, "bf16"),
        (CPU, {"cpu_bf16": True}, 128, "bf16"),
        (CPU, {"cpu_bf16": True}, 96, "fp32"),
        (CPU, {}, 768, "fp32"),
        (torch.device("mps"), {"mps": True}, 768, "fp32"),
    ],
)
def test_training_precision_for_the_machine(machine, device, has, hidden_size, expected):
    machine(**has)
    assert choose_training_precision("auto", device, hidden_size) == expected
    assert choose_training_precision("fp32", device, hidden_size) == "fp32"


def test_captions_are_in_bf16_only_where_that_pays(machine):
    machine(cards=1, cpu_bf16=True)
    assert choose_inference_dtype("auto", CPU, 192) == torch.float32
    assert choose_inference_dtype("auto", CPU, 768) == torch.bfloat16
    assert choose_inference_dtype("fp32", CPU, 768) == torch.float32
    machine(cards=1)
    assert choose_inference_dtype("auto", CPU, 768) == torch.float32
    machine(cards=1, cpu_bf16=True)
    assert choose_inference_dtype("auto", GPU) == torch.bfloat16
    machine(cards=1, gpu_bf16=False)
    assert choose_inference_dtype("auto", GPU) == torch.float16
    assert choose_inference_dtype("bf16", CPU) == torch.bfloat16


def test_precisions_that_are_none():
    with pytest.raises(ModelError, match=r"There is no precision 'bf61'. Did you mean 'bf16'\?"):
        choose_inference_dtype("bf61", CPU)
    with pytest.raises(ModelError, match="Use one of auto, fp32, bf16, fp16"):
        choose_training_precision("double", CPU, 32)
    with pytest.raises(ModelError, match="fp16 training needs a GPU"):
        choose_training_precision("fp16", CPU, 32)
