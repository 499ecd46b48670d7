"""Training with leyenda's own code and with that of `transformers` is the same training."""

import json

import pytest
import torch
from tests.fakes.noise import Noise

from leyenda import models
from leyenda.config import load_recipe
from leyenda.data.examples import Examples
from leyenda.kernels import attention, gradients, states
from leyenda.kernels.library import library
from leyenda.records import Example, ImageSource
from leyenda.training import fitting
from leyenda.training.fitting import Objective, Task, fit
from leyenda.training.run_folder import RunFolder

WORDS = [
    "a red dog",
    "two blue birds over a house",
    "the cat sleeps",
    "one boat on a wide green lake at night",
]
STEPS = 50


def losses(folder, fast, captions, *more, talk=lambda line: None):
    """Of every step, without dropout, which both draw differently."""
    torch.set_num_threads(1)
    model = models.create("tiny", WORDS * 3, seed=7, device="cpu", fast=fast)
    for module in model.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    source = ImageSource("nowhere")
    rows = [
        Example(str(number), source, (WORDS[number % 4], WORDS[number % 3]), "train") for number in range(40)
    ]
    settings = ["training.eval_strategy=no", "training.logging_steps=1", "training.report_to=[]"]
    settings += ["training.learning_rate=1e-3", f"training.max_steps={STEPS}", "training.disable_tqdm=true"]
    settings += ["training.per_device_train_batch_size=5", f"model.fast={fast}", "model.precision=fp32"]
    recipe = load_recipe(overrides=[*settings, f"data.captions={captions}", *more])
    run = RunFolder(folder)
    run.checkpoints.mkdir(parents=True)
    objective = Objective("wer", True, lambda hypotheses, references: {"wer": 1.0})
    nothing = Examples.from_rows([])
    fit(Task(recipe, model, Examples.from_rows(rows), nothing, Noise(), objective, run, talk))
    kept = [json.loads(line) for line in run.history.read_text().splitlines()]
    return [row["loss"] for row in kept if "loss" in row], type(model.model).__module__


@pytest.mark.parametrize("captions", ["one", "all"])
def test_loss_curves_agree(captions, tmp_path):
    fast, own = losses(tmp_path / "fast", True, captions)
    plain, theirs = losses(tmp_path / "plain", False, captions)
    assert own.startswith("leyenda.")
    assert theirs.startswith("transformers.")
    assert len(fast) == len(plain) == STEPS
    assert fast == pytest.approx(plain, rel=0, abs=1e-3)
    assert fast[-1] < 0.7 * fast[0], "it has learned nothing"


def test_smoothed_losses_agree(tmp_path):
    smoothing = ["training.label_smoothing_factor=0.2", "training.max_steps=6"]
    usual, _ = losses(tmp_path / "usual", True, "one", smoothing[1])
    fast, _ = losses(tmp_path / "fast", True, "one", *smoothing)
    plain, _ = losses(tmp_path / "plain", False, "one", *smoothing)
    assert fast == pytest.approx(plain, rel=0, abs=1e-4)
    # With random weights all words are nearly as likely, and in the end a sure word costs.
    assert fast[0] == pytest.approx(usual[0], rel=0.05)
    assert fast[-1] > usual[-1] + 0.01


@pytest.mark.skipif(library() is None, reason="needs a CPU with tiles (AMX) and a C compiler")
@pytest.mark.parametrize("compiled", [True, False])
def test_loss_curves_agree_in_bf16_with_kernels_and_without(compiled, monkeypatch, tmp_path):
    """As near to each other as two ways to round are: rounding a loss of 3 to 8 bits moves it by a hundredth."""
    called = []

    def watched():
        called.append(True)
        return library() if compiled else None

    for module in (attention, gradients, states):
        monkeypatch.setattr(module, "library", watched)
    fast, _ = losses(tmp_path / "fast", True, "one", "model.precision=bf16")
    assert called
    plain, _ = losses(tmp_path / "plain", False, "one", "model.precision=bf16")
    assert fast == pytest.approx(plain, rel=0, abs=0.05)
    assert fast[-1] < 0.7 * fast[0], "it has learned nothing"


@pytest.mark.parametrize(
    ("lacking", "precision", "said"), [(True, "bf16", True), (True, "fp32", False), (False, "bf16", False)]
)
def test_what_could_be_compiled_is_said(lacking, precision, said, monkeypatch, tmp_path):
    monkeypatch.setattr(fitting, "lacks_compiler", lambda: lacking)
    lines = []
    losses(tmp_path, True, "one", f"model.precision={precision}", "training.max_steps=1", talk=lines.append)
    assert any("no C compiler" in line for line in lines) == said
