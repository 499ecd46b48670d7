"""Python that captions a picture with a shared model, for people to copy; the tests run it."""

from __future__ import annotations

import json

from leyenda.config import EvaluationRecipe
from leyenda.sharing.finished_run import FinishedRun


def leyenda_snippet(place: str, run: FinishedRun) -> str:
    """Caption with leyenda, searching as the scores were computed.

    Args:
        place: hub id or folder.
        run: what is shared.
    """
    usual, search = EvaluationRecipe(), _search(run)
    arguments = [json.dumps(place)]
    if search.beams != usual.beams:
        arguments.append(f"beams={search.beams}")
    if search.max_length != usual.max_length:
        arguments.append(f"max_length={search.max_length}")
    return f"""\
from leyenda import Captioner

captioner = Captioner.from_pretrained({", ".join(arguments)})
print(captioner("photo.jpg").text)"""


def transformers_snippet(place: str, run: FinishedRun) -> str:
    """Caption with nothing but `transformers`, searching as the scores were computed.

    Args:
        place: hub id or folder.
        run: what is shared.
    """
    kind, search, name = run.config.get("model_type"), _search(run), json.dumps(place)
    model = "AutoModelForCausalLM" if kind == "git" else "AutoModelForImageTextToText"
    if kind == "vision-encoder-decoder" and not (run.model / "processor_config.json").exists():
        # Such checkpoints keep their two halves apart, and AutoProcessor does not join them.
        parts = {"AutoImageProcessor": "image_processor", "AutoTokenizer": "tokenizer"}
    else:
        parts = {"AutoProcessor": "processor"}
    images, text = next(iter(parts.values())), list(parts.values())[-1]
    load = "\n".join(f"{variable} = {part}.from_pretrained({name})" for part, variable in parts.items())
    beams = f", num_beams={search.beams}" if search.beams > 1 else ""
    return f"""\
from PIL import Image
from transformers import {", ".join(sorted([*parts, model]))}

{load}
model = {model}.from_pretrained({name})

picture = Image.open("photo.jpg").convert("RGB")
pixel_values = {images}(images=picture, return_tensors="pt").pixel_values
token_ids = model.generate(pixel_values=pixel_values, max_new_tokens={search.max_length}{beams})
print({text}.batch_decode(token_ids, skip_special_tokens=True)[0])"""


def _search(run: FinishedRun) -> EvaluationRecipe:
    return run.recipe.evaluation if run.recipe else EvaluationRecipe()
