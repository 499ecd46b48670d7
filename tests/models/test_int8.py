"""Matrix products in 8 bits: close to the exact ones, the same in any batch, and refused where they do not belong."""

from __future__ import annotations

import pytest
import torch

from leyenda import models
from leyenda.errors import ModelError
from leyenda.models.int8 import Int8Linear, StateQuantizer, check_int8
from leyenda.models.precision import choose_training_precision

needs_vnni = pytest.mark.skipif(
    not torch.cpu._is_vnni_supported(), reason="8-bit products need a CPU with VNNI"
)


@needs_vnni
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_a_product_is_within_a_few_percent_of_the_exact_one(dtype, bias):
    torch.manual_seed(0)
    exact = torch.nn.Linear(96, 40, bias=bias)
    states = torch.randn(2, 5, 96)
    states[0, 0] *= 1000  # an outlier must not cost the other tokens their digits
    states[1, 1] = 0
    layer = Int8Linear(exact.to(dtype), StateQuantizer())
    got = layer(states.to(dtype))
    assert got.dtype == dtype
    wanted = exact.float()(states)
    error = (got.float() - wanted).norm(dim=-1) / wanted.norm(dim=-1).clamp(min=1e-3)
    assert error.max() < 0.03
    if dtype == torch.float32:
        assert error.max() > 0  # it is 8 bits


@needs_vnni
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("inner", "outer"), [(64, 32), (3072, 100), (5, 1)])
def test_a_row_does_not_depend_on_its_batch(inner, outer, dtype):
    torch.manual_seed(0)
    layer = Int8Linear(torch.nn.Linear(inner, outer).to(dtype), StateQuantizer())
    states = (torch.randn(33, inner) * torch.linspace(0, 50, 33)[:, None]).to(dtype)
    together = layer(states)
    for row in range(33):
        assert torch.equal(layer(states[row : row + 1])[0], together[row])


def test_layers_that_read_the_same_states_share_their_quantization():
    quantizer = StateQuantizer()
    states = torch.randn(3, 8)
    assert quantizer(states)[0] is quantizer(states)[0]
    assert quantizer(states.clone())[0] is not quantizer(states)[0]


def test_another_thread_at_any_moment_changes_no_quantization():
    theirs = torch.randn(3, 8)

    class Interrupted(StateQuantizer):
        """Another thread's whole call falls behind whatever this one remembers."""

        theirs_first = True

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name != "theirs_first" and self.theirs_first and value is not None:
                self.theirs_first = False
                self(theirs)
                self.theirs_first = True

    quantizer = Interrupted()
    for states in (torch.randn(3, 8), torch.randn(3, 8)):
        for given in (states, theirs, states):
            found, expected = quantizer(given), StateQuantizer()(given)
            assert torch.equal(found[0], expected[0])
            assert torch.equal(found[1], expected[1])


@needs_vnni
def test_captions_of_every_family(family_checkpoint, family_model, pixels):
    quantized = models.load(family_checkpoint, device="cpu", precision="int8")
    settings = models.GenerationSettings(max_length=6)
    captions = quantized.generate(pixels, settings)
    assert len(captions) == len(pixels)
    first = [caption.token_ids[0] for caption in captions]
    exact = [caption.token_ids[0] for caption in family_model.generate(pixels, settings)]
    # These weights are noise; a wrong scale or zero would agree on one word in fifty.
    assert sum(map(int.__eq__, first, exact)) > len(pixels) / 2


@needs_vnni
def test_it_is_not_saved(tiny_checkpoint, tmp_path):
    for captions_only in (True, False):
        model = models.load(tiny_checkpoint, device="cpu", precision="int8", captions_only=captions_only)
        with pytest.raises(ModelError, match="int8 cannot be saved"):
            model.save(tmp_path / "out")


def test_it_is_for_captioning_on_a_cpu():
    with pytest.raises(ModelError, match="int8 is for CPUs"):
        check_int8(torch.device("cuda"))
    with pytest.raises(ModelError, match="not for training"):
        choose_training_precision("int8", torch.device("cpu"), 768)


def test_a_cpu_without_the_instructions_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cpu._is_vnni_supported", lambda: False)
    with pytest.raises(ModelError, match="VNNI"):
        check_int8(torch.device("cpu"))
