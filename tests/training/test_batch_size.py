"""Pictures at a time follow memory; what a step is on, and what comes out, do not."""

import json

import pytest
import torch
from tests.fakes.noise import Noise

from leyenda import models
from leyenda.config import load_recipe
from leyenda.data.examples import Examples
from leyenda.errors import RunError
from leyenda.models.memory import is_out_of_memory
from leyenda.records import Example, ImageSource
from leyenda.training import batch_size
from leyenda.training.batch_size import Need, largest_that_fits, measure_need
from leyenda.training.fitting import Objective, Task, fit
from leyenda.training.pairs import Pairs
from leyenda.training.run_folder import RunFolder

WORDS = [
    "a red dog",
    "two blue birds over a house",
    "the cat sleeps",
    "one boat on a wide green lake at night",
]
COUNT = 24


def examples(count=COUNT):
    source = ImageSource("nowhere")
    rows = [
        Example(str(number), source, (WORDS[number % 4], WORDS[number % 3]), "train")
        for number in range(count)
    ]
    return Examples.from_rows(rows)


def new_model(fast=True):
    torch.set_num_threads(1)
    model = models.create("tiny", WORDS * 3, seed=7, device="cpu", fast=fast)
    for module in model.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def train(folder, *overrides, model=None, images=None, epochs=4, talk=None):
    """Loss of every step."""
    model = model or new_model()
    settings = ["training.eval_strategy=no", "training.logging_steps=1", "training.report_to=[]"]
    settings += ["training.learning_rate=2e-3", f"training.num_train_epochs={epochs}", *overrides]
    settings += ["training.disable_tqdm=true", "model.precision=fp32"]
    recipe = load_recipe(overrides=settings)
    run = RunFolder(folder)
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    objective = Objective("wer", True, lambda hypotheses, references: {"wer": 1.0})
    none = Examples.from_rows([])
    images = images or Noise()
    fit(Task(recipe, model, examples(), none, images, objective, run, talk or (lambda line: None)))
    rows = [json.loads(line) for line in run.history.read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def memory_for(model, pictures, after=0):
    """From so many forward passes on, the model takes no more than so many pictures at a time."""
    original, calls = model.model.forward, []

    def forward(*arguments, **named):
        calls.append(len(named["pixel_values"]))
        if len(calls) > after and calls[-1] > pictures:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate a lot.")
        return original(*arguments, **named)

    model.model.forward = forward
    return calls


SIXTEEN = ("training.per_device_train_batch_size=8", "training.gradient_accumulation_steps=2")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    torch.manual_seed(0)
    return train(tmp_path_factory.mktemp("whole"), *SIXTEEN)


def test_when_memory_runs_out_the_results_stay(undisturbed, tmp_path):
    model, images, told = new_model(), Noise(), []
    calls = memory_for(
        model, pictures=2, after=4
    )  # in the second half of the third step: gradients lie there
    losses = train(tmp_path, *SIXTEEN, model=model, images=images, talk=told.append)
    assert len(losses) == len(undisturbed) == 8
    assert losses == pytest.approx(undisturbed, rel=0, abs=1e-4)
    assert sorted(images.asked) == sorted([str(number) for number in range(COUNT)] * 4), "no picture twice"
    assert max(calls[10:]) == 2
    said = [line for line in told if "Memory ran out" in line]
    assert len(said) == 2
    assert "at step 3: it is done again" in said[0]
    assert "with 4 pictures at a time; a step is still on" in said[0]


def test_the_size_does_not_change_the_results(undisturbed, tmp_path):
    for number, size in enumerate((1, 16)):
        settings = (f"training.per_device_train_batch_size={size}", "training.gradient_accumulation_steps=")
        losses = train(tmp_path / str(number), settings[0], settings[1] + str(16 // size))
        assert losses == pytest.approx(undisturbed, rel=0, abs=1e-4), size


def test_it_is_kept_with_the_checkpoint(tmp_path):
    model = new_model()
    calls, forward = memory_for(model, pictures=4), model.model.forward

    def until_the_plug_is_pulled(**named):
        if len(calls) > 8:
            raise KeyboardInterrupt
        return forward(**named)

    model.model.forward = until_the_plug_is_pulled
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, *SIXTEEN, "training.save_steps=1", model=model)
    told, again = [], new_model()
    calls = memory_for(again, pictures=4)
    train(tmp_path, *SIXTEEN, "training.save_steps=1", model=again, talk=told.append)
    assert max(calls) == 4, "the resumed run tries what failed before"
    assert told[0].startswith("Going on at step 2")
    assert "batch 16 pictures, 4 at a time" in told[0]


def test_one_picture_too_many_is_an_error_with_advice(tmp_path):
    model = new_model()
    memory_for(model, pictures=0)
    with pytest.raises(RunError, match="--freeze image_encoder"):
        train(tmp_path, *SIXTEEN, model=model)


def test_another_error_is_not_taken_for_memory(tmp_path):
    model = new_model()

    def forward(**named):
        raise RuntimeError("shapes do not fit")

    model.model.forward = forward
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train(tmp_path, *SIXTEEN, model=model)


def test_evaluation_goes_on_in_halves(tmp_path):
    model = new_model()
    sizes, original = [], model.model.git.image_encoder.vision_model.embeddings.forward

    def forward(pixel_values, **named):
        sizes.append(len(pixel_values))
        if not model.model.training and len(pixel_values) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(pixel_values, **named)

    model.model.git.image_encoder.vision_model.embeddings.forward = forward
    judged = {}

    def score(hypotheses, references):
        judged.update(hypotheses)
        return {"wer": 1.0}

    settings = ["training.max_steps=1", "training.eval_steps=1", "training.report_to=[]"]
    settings += ["training.per_device_train_batch_size=8", "model.precision=fp32", "evaluation.max_length=3"]
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir(parents=True)
    objective = Objective("wer", True, score)
    recipe = load_recipe(overrides=[*settings, "training.disable_tqdm=true"])
    fit(Task(recipe, model, examples(), examples(11), Noise(), objective, run, lambda line: None))
    assert list(judged) == [str(number) for number in range(11)]


def test_auto_takes_what_memory_holds(tmp_path, monkeypatch):
    model, told = new_model(), []
    need = measure_need(model, Pairs(examples(), model, Noise()), torch.no_grad)
    assert need.picture < 10_000, "without gradients nothing is kept"
    need = measure_need(model, Pairs(examples(), model, Noise()), lambda: torch.enable_grad())
    monkeypatch.setattr(batch_size, "free_memory", lambda device: (need.fixed + 5 * need.picture) / 0.6 + 1)
    train(tmp_path, "training.per_device_train_batch_size=auto", epochs=1, model=model, talk=told.append)
    assert told[0].startswith("Batch size: 4 of a step's 64 pictures at a time")
    assert "batch 64 pictures, 4 at a time" in told[1]


def test_on_a_cpu_large_pictures_are_computed_in_smaller_pieces(monkeypatch):
    model = new_model()
    pairs = Pairs(examples(), model, Noise())
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 1e15)
    for picture, size in ((10**6, 96), (10**9, 12)):
        monkeypatch.setattr(batch_size, "measure_need", lambda *given, picture=picture: Need(0, picture))
        assert batch_size.choose_piece(96, model, pairs, torch.enable_grad)[0] == size


def test_measuring_leaves_everything_as_it_was():
    model = new_model()
    pairs = Pairs(examples(), model, Noise())
    before = {name: weight.clone() for name, weight in model.model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    measure_need(model, pairs, lambda: torch.enable_grad())
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(weight, before[name]) for name, weight in model.model.state_dict().items())
    assert all(weight.grad is None for weight in model.model.parameters())
    assert not model.model.training


def test_what_is_measured_is_what_a_picture_takes():
    """More pixels, wider layers or more layers take more; a frozen encoder takes less."""
    model = new_model()
    pairs = Pairs(examples(), model, Noise())
    trained = measure_need(model, pairs, lambda: torch.enable_grad())
    for weight in model.family.image_encoder(model.model).parameters():
        weight.requires_grad_(False)
    frozen = measure_need(model, pairs, lambda: torch.enable_grad())
    assert frozen.picture < trained.picture
    assert frozen.fixed < trained.fixed
    weights = sum(weight.numel() for weight in model.model.parameters())
    assert trained.fixed >= 12 * weights


@pytest.mark.parametrize(
    ("step", "free", "expected"), [(64, 10**6, 64), (64, 1000, 8), (96, 1300, 12), (64, 0, 1), (1, 0, 1)]
)
def test_halves_until_it_fits(step, free, expected):
    assert largest_that_fits(step, Need(fixed=100, picture=100), free) == expected


def test_torch_says_that_memory_ran_out_in_words_that_are_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
