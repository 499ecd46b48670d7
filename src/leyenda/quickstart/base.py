"""`make base`: train the demo model from nothing on toy scenes, and put it where `--model demo` finds it.

Interrupted, it goes on where it was when called again. See `docs/quickstart.md`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch

from leyenda.config import Recipe, load_recipe
from leyenda.errors import LeyendaError
from leyenda.jobs.train import say, train
from leyenda.models.checkpoint import quiet
from leyenda.models.loading import DEMO_FOLDER
from leyenda.models.new import start_with_a_map
from leyenda.quickstart.dataset import write_scenes
from leyenda.quickstart.demo_card import demo_card
from leyenda.quickstart.scene_drawing import PICTURE_SIZE
from leyenda.quickstart.tokenizer import train_tokenizer
from leyenda.training.run_folder import RunFolder

PICTURES = 20400
EPOCHS = 8
BATCH_SIZE = 32
LEARNING_RATE = 1e-3
SEED = 0

PATCH_SIZE = 20
VISION_WIDTH, VISION_LAYERS = 160, 4
TEXT_WIDTH, TEXT_LAYERS = 128, 3
HEAD_WIDTH = 32
LONGEST_CAPTION = 64
"""In tokens."""

INITIAL_DEVIATION = 0.07
"""Of the weights. The usual 0.02 suits a width of 768; layers this narrow would start almost silent with it."""

MOST_BYTES = 12_000_000


def make_base(folder: Path = Path("runs/base"), demo: Path = DEMO_FOLDER) -> Path:
    """Draw the scenes, train on them, and replace the demo model.

    Args:
        folder: where drawings and the training run go.
        demo: where the finished model goes.

    Returns:
        The demo model's folder.

    Raises:
        LeyendaError: the folder cannot be used, or the model came out too large to ship.
    """
    scenes, start = folder / "scenes", folder / "start"
    if not scenes.is_dir():
        say(f"Drawing {PICTURES} scenes into {scenes}")
        write_scenes(scenes, seed=SEED, pictures=PICTURES)
    if not start.is_dir():
        save_new_model(start, _captions(scenes))
    run = RunFolder(folder / "run")
    train(recipe_of(scenes, start), run.folder, resume=True)
    return publish(run, demo)


def recipe_of(scenes: Path, start: Path) -> Recipe:
    """How the demo model is trained."""
    return load_recipe(
        values={
            "data.source": str(scenes),
            "model.name": str(start),
            "model.precision": "bf16",
            "model.device": "cpu",
            "evaluation.language": "es",
            "evaluation.base": False,
            "evaluation.max_pictures": 100,
            "training.seed": SEED,
            "training.learning_rate": LEARNING_RATE,
            "training.lr_scheduler_type": "cosine",
            "training.warmup_steps": 300,
            "training.weight_decay": 0.05,
            "training.num_train_epochs": EPOCHS,
            "training.per_device_train_batch_size": BATCH_SIZE,
            "training.gradient_accumulation_steps": 1,
            "training.eval_steps": 1000,
            "training.logging_steps": 50,
            "training.save_total_limit": 1,
        }
    )


def save_new_model(folder: Path, captions: list[str], *, seed: int = SEED) -> None:
    """Write the untrained model, its tokenizer and its picture preparation as a checkpoint.

    Args:
        folder: where to.
        captions: what the tokenizer is trained on.
        seed: of the weights.
    """
    from transformers import GitConfig, GitForCausalLM, GitProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = train_tokenizer(captions, max_length=LONGEST_CAPTION)
    config = GitConfig(
        vision_config={
            "hidden_size": VISION_WIDTH,
            "intermediate_size": 4 * VISION_WIDTH,
            "num_hidden_layers": VISION_LAYERS,
            "num_attention_heads": VISION_WIDTH // HEAD_WIDTH,
            "image_size": PICTURE_SIZE,
            "patch_size": PATCH_SIZE,
            "initializer_range": INITIAL_DEVIATION,
        },
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=TEXT_WIDTH // HEAD_WIDTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        max_position_embeddings=LONGEST_CAPTION,
        initializer_range=INITIAL_DEVIATION,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(seed)
        model = GitForCausalLM(config)
        start_with_a_map(model)
        side = {"height": PICTURE_SIZE, "width": PICTURE_SIZE}
        processor = GitProcessor(
            CLIPImageProcessorPil(size={"shortest_edge": PICTURE_SIZE}, crop_size=side), tokenizer
        )
        model.save_pretrained(folder)
        processor.save_pretrained(folder)


def publish(run: RunFolder, demo: Path) -> Path:
    """Copy the best model of a finished run to where `demo` is looked for, with its card.

    Args:
        run: the finished run.
        demo: the folder to replace.

    Raises:
        LeyendaError: the model is larger than the package may carry.
    """
    size = sum(path.stat().st_size for path in run.model.iterdir())
    if size > MOST_BYTES:
        raise LeyendaError(f"The model takes {size:,} bytes; the package carries at most {MOST_BYTES:,}.")
    scores = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))["tuned"]
    draft = demo.with_name(f".{demo.name}-unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(run.model, draft)
    (draft / "README.md").write_text(demo_card(scores, pictures=PICTURES, epochs=EPOCHS), encoding="utf-8")
    shutil.rmtree(demo, ignore_errors=True)
    draft.replace(demo)
    return demo


def _captions(scenes: Path) -> list[str]:
    lines = (scenes / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    return [caption for line in lines for caption in json.loads(line)["captions"]]


if __name__ == "__main__":
    try:
        say(f"The demo model is in {make_base(*map(Path, sys.argv[1:2]))}")
    except LeyendaError as error:
        sys.exit(f"leyenda: error: {error}")
