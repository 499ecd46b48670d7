"""`leyenda quickstart`: the whole job on the embedded drawings, in a few minutes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from leyenda.config import Recipe, load_recipe
from leyenda.errors import LeyendaError, RunError
from leyenda.jobs.train import Talk, TrainingResult, say, train
from leyenda.quickstart.dataset import write_dataset
from leyenda.training.resolved_recipe import resolved
from leyenda.training.run_folder import RunFolder

PICTURES = 2400
EPOCHS = 20
LEARNING_RATE = 1e-3
BATCH_SIZE = 32

_TEXTS = {
    "en": {
        "drawing": "Drawing {pictures} creatures with captions into {data}",
        "aside": "An earlier quickstart of another kind is kept as {aside}",
        "words": "Of 100 words, {base:.0f} were wrong before tuning and {tuned:.0f} are now.",
        "examples": "Captions of pictures it has never seen:",
        "report": "Open the report: {report}",
        "next": "Next, with your own pictures: leyenda train FOLDER --output runs/mine",
    },
    "es": {
        "drawing": "Dibujando {pictures} criaturas con sus descripciones en {data}",
        "aside": "Se conserva un quickstart anterior de otro tipo en {aside}",
        "words": "De cada 100 palabras, {base:.0f} estaban mal antes del ajuste y {tuned:.0f} ahora.",
        "examples": "Descripciones de imágenes que nunca ha visto:",
        "report": "Abre el informe: {report}",
        "next": "Ahora, con tus propias imágenes: leyenda train CARPETA --output runs/mio --language es",
    },
}

_SHOWN = 5


def quickstart(
    output: str | Path, *, language: str = "en", seed: int = 0, talk: Talk = say
) -> TrainingResult:
    """Draw a data set, fine-tune the demo model on it, score both, write the report.

    Interrupted, it goes on where it was; finished, it only scores again.

    Args:
        output: folder of the run; the drawings go to its `data/`.
        language: of the captions, `en` or `es`.
        seed: of the drawings and of training.
        talk: where lines for the user go.

    Raises:
        LeyendaError: an unknown language, or the folder holds something else.
    """
    if language not in _TEXTS:
        raise LeyendaError(f"There is no quickstart in {language!r}.", "Use --language en or --language es.")
    texts = _TEXTS[language]
    run = RunFolder(output)
    recipe = recipe_of(run, language, seed)
    _set_aside(run, recipe, talk, texts["aside"])
    run.check(recipe, resume=True)
    data = run.folder / "data"
    with run.locked():
        # The recipe first: it tells a later quickstart that these drawings are its own.
        run.start(recipe)
        if not data.is_dir():
            talk(texts["drawing"].format(pictures=PICTURES, data=data))
            write_dataset(data, language=language, seed=seed, pictures=PICTURES)
    with _one_thread():
        result = train(recipe, output, resume=True, talk=talk)
    _conclude(result, talk, texts)
    return result


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Products this small gain nothing from a second thread, and lose much where another program wants its core."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def recipe_of(run: RunFolder, language: str, seed: int) -> Recipe:
    """What the quickstart trains, and how."""
    return load_recipe(
        values={
            "data.source": str((run.folder / "data").absolute()),
            "data.split_seed": seed,
            "model.name": "demo",
            "model.device": "cpu",
            "evaluation.language": language,
            "evaluation.samples": 2,
            "evaluation.max_pictures": 60,
            "evaluation.max_length": 40,
            "training.seed": seed,
            "training.learning_rate": LEARNING_RATE,
            "training.lr_scheduler_type": "cosine",
            "training.warmup_steps": 30,
            "training.weight_decay": 0.05,
            "training.num_train_epochs": EPOCHS,
            "training.per_device_train_batch_size": BATCH_SIZE,
            "training.gradient_accumulation_steps": 1,
            "training.eval_steps": 150,
            "training.logging_steps": 25,
            "training.save_total_limit": 1,
        }
    )


def _set_aside(run: RunFolder, recipe: Recipe, talk: Talk, message: str) -> None:
    """Move a run of another recipe out of the way: it is the user's, so it is kept."""
    if not run.recipe.is_file() or resolved(run.saved_recipe()) == resolved(recipe):
        return
    if run.saved_recipe().model.name != "demo":
        raise RunError(f"{str(run.folder)!r} holds another training run.", "Choose another --output.")
    number = 1
    while (aside := run.folder.with_name(f"{run.folder.name}-{number}")).exists():
        number += 1
    with run.locked():
        run.folder.rename(aside)
    talk(message.format(aside=aside))


def _conclude(result: TrainingResult, talk: Talk, texts: dict[str, str]) -> None:
    assert result.base is not None
    errors = {
        "base": 100 * result.base.scores.values["wer"],
        "tuned": 100 * result.tuned.scores.values["wer"],
    }
    talk(f"\n{texts['examples']}")
    for prediction in result.tuned.predictions[:_SHOWN]:
        talk(f"  {prediction.id}: {prediction.caption}")
    talk("")
    talk(texts["words"].format(**errors))
    talk(texts["next"])
    talk(texts["report"].format(report=result.run.report))
