"""One call that captions any number of pictures into an output."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from leyenda.errors import LeyendaError
from leyenda.text_control import TextRules
from leyenda.volume.engine import Engine
from leyenda.volume.entry import Entry
from leyenda.volume.existing import check_mode
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.opening import open_inputs
from leyenda.volume.named_inputs import settings_of_inputs
from leyenda.volume.outputs.registry import OutputOptions, open_output
from leyenda.volume.printed_run import PrintedRun
from leyenda.volume.rules import Rules
from leyenda.volume.run import VolumeRun
from leyenda.volume.seen_pictures import NearPictures, SeenPictures
from leyenda.volume.totals import Totals

if TYPE_CHECKING:
    from leyenda.text_control import PromptTemplate

DUPLICATES: dict[str, Callable[[], SeenPictures | None]] = {
    "bytes": SeenPictures,
    "near": NearPictures,
    "each": lambda: None,
}
"""What counts as the same picture: the same bytes, what is the same to the eye, or nothing."""

PLAIN, RAY = "plain", "ray"
ENGINES = (PLAIN, RAY)
"""What captions, by name: this process, or the workers of a Ray cluster."""

DEFAULT_MODEL = "microsoft/git-base-coco"
"""As `leyenda.models.DEFAULT_MODEL`, whose import takes a second."""

_TEXT = ("prefix", "suffix", "trigger", "strip_start", "max_words", "ban", "require", "drop_prompt")
"""Options that are rules for the text."""

_NO_MATTER = ("device", "batch_size", "token")
"""Options of a captioner that do not decide what the captions say."""


def caption_all(
    inputs: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    *,
    watch: Callable[[Entry], object] = lambda entry: None,
    **options: Any,
) -> Totals:
    """Caption pictures into a file or a folder.

    The same call goes on where an earlier one was stopped, whatever stopped it.

    Args:
        inputs: as the words of `leyenda caption`.
        output: as its `--output`; None where `to` is an output that needs none.
        watch: is told what became of each input, as soon as it is on the disk.
        options: those of the command, by the same names with `_` for `-`: an option that can be typed several times
            takes one value or several. Also as for `open_run`.

    Returns:
        How many inputs ended how.

    Raises:
        LeyendaError: something cannot work as it was asked for.
    """
    if "list" in options:
        options["lists"] = _words(options.pop("list"))
    run = open_run(_words(inputs), output=output, **options)
    for entry in run:
        watch(entry)
    return run.totals


def _words(names: str | Path | Sequence[str | Path]) -> list[str]:
    """One name or several, as they are typed."""
    several = [names] if isinstance(names, str | os.PathLike) else names
    return [os.fspath(name) for name in several]


def open_run(
    words: Sequence[str],
    *,
    model: str | Path = DEFAULT_MODEL,
    output: str | Path | None = None,
    to: str | None = None,
    overwrite: bool = False,
    existing: str = "skip",
    retry_failed: bool = False,
    min_confidence: float | None = None,
    review: str | Path | None = None,
    duplicates: str = "bytes",
    sidecar_name: str | None = None,
    shard_size: int | None = None,
    record: str | Path | None = None,
    hidden: bool = False,
    lists: Sequence[str] = (),
    image_column: str | None = None,
    image_root: str | None = None,
    engine: str = "plain",
    workers: int | None = None,
    address: str | None = None,
    standard_input: BinaryIO | None = None,
    **options: Any,
) -> VolumeRun:
    """Check everything, and get ready to caption into an output.

    Args:
        words: what names the pictures, as for `leyenda.volume.inputs.opening.open_inputs`.
        model: the checkpoint: a folder, a training run, a hub id, or `demo`.
        output: file or folder of the captions.
        to: name of the output; None tells by the ending of `output`.
        overwrite: replace a finished file, and forget what a stopped run of another command had done.
        existing: what is done where a picture has a caption: `skip`, `overwrite`, `append` or `prepend`.
        retry_failed: try inputs again that an earlier run could not caption.
        min_confidence: captions below it go to the review list.
        review: the review list; None is beside the output.
        duplicates: what counts as the same picture, which is captioned once; one of `DUPLICATES`.
        sidecar_name: `stem` for `a.txt`, `full` for `a.jpg.txt`; None is `stem`.
        shard_size: samples of a WebDataset shard; None is 1000.
        record: the record of a run that writes picture by picture; None is where its captions are.
        hidden: also take hidden files and folders.
        lists: files with names of pictures, one a line.
        image_column: column of a table that names or holds the picture; None finds it.
        image_root: folder that the names in a table are relative to; None finds it.
        engine: one of `ENGINES`.
        workers: with `ray`, how many models; None takes one for each GPU, or one where there is none.
        address: with `ray`, of a running cluster; None starts one on this machine.
        standard_input: what `-` reads; None takes the process's own.
        options: as for `leyenda.Captioner.from_pretrained`; the rules for the text also one by one.

    Raises:
        LeyendaError: something cannot work as it was asked for.
    """
    options = {**_with_text_rules(options), "model": model}
    check_mode(existing)
    _check_choice(duplicates, tuple(DUPLICATES), "--duplicates")
    _check_choice(engine, ENGINES, "--engine")
    _check_workers(engine, workers, address)
    prompt = _template(options.get("prompt"))
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise LeyendaError(f"The least confidence is {min_confidence:g}.", "It must be between 0 and 1.")
    reading = InputOptions(hidden, lists, image_column, image_root, prompt, token=options.get("token"))
    inputs = open_inputs(words, reading, standard_input)
    writing = OutputOptions(
        output,
        to,
        overwrite,
        review,
        existing,
        sidecar_name,
        shard_size,
        record,
        str(model),
        options.get("text"),
    )
    target = open_output(writing, inputs, with_review=min_confidence is not None)
    seen = DUPLICATES[duplicates]()
    settings = {"duplicates": duplicates, **model_settings(options)}
    if not target.keeps_journal:  # what a record misses is seen beside the pictures, one by one
        settings |= settings_of_inputs(words, lists)
    return VolumeRun(
        inputs,
        target,
        lambda: _engine(engine, options, seen, workers, address),
        settings=settings,
        rules=Rules(existing, options.get("text") or TextRules(), retry_failed, min_confidence),
        seen=seen,
        overwrite=overwrite,
    )


def open_printed_run(
    words: Sequence[str],
    *,
    hidden: bool = False,
    lists: Sequence[str] = (),
    image_column: str | None = None,
    image_root: str | None = None,
    standard_input: BinaryIO | None = None,
    **options: Any,
) -> PrintedRun:
    """Check everything, and get ready to caption without an output; arguments as for `open_run`.

    Raises:
        LeyendaError: something cannot work as it was asked for.
    """
    options = _with_text_rules(options)
    prompt = _template(options.get("prompt"))
    reading = InputOptions(hidden, lists, image_column, image_root, prompt, token=options.get("token"))
    inputs = open_inputs(words, reading, standard_input)
    return PrintedRun(inputs, _plain(options, SeenPictures()), Rules())


def _with_text_rules(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in which the rules for the text are one value, where there are any.

    Raises:
        LeyendaError: they are given both ways, or make no sense.
    """
    from leyenda.text_control import TextRules

    rules = TextRules(**{name: options[name] for name in _TEXT if name in options})
    others = {name: value for name, value in options.items() if name not in _TEXT}
    if not rules:
        return others
    if others.get("text") is not None:
        raise LeyendaError("Rules for the text are given one by one and as text=.", "Leave out one.")
    return others | {"text": rules}


def model_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a captioner's options decides the captions."""
    settings = {name: value for name, value in options.items() if name not in _NO_MATTER}
    if (text := settings.pop("text", None)) is not None:
        settings |= {
            name: value for name, value in asdict(text).items() if value not in (None, "", (), False)
        }
    model = str(options.get("model", ""))
    return settings | {"model": os.path.abspath(model) if os.path.isdir(model) else model}


def _template(prompt: str | None) -> PromptTemplate | None:
    """The prompt with the names of its columns.

    Raises:
        LeyendaError: it is empty, or its braces name no column.
    """
    if prompt is None:
        return None
    from leyenda.text_control import PromptTemplate

    return PromptTemplate(prompt)


def _plain(options: Mapping[str, Any], seen: SeenPictures | None) -> Engine:
    from leyenda.inference import Captioner
    from leyenda.volume.plain_engine import PlainEngine

    others = {name: value for name, value in options.items() if name != "model"}
    return PlainEngine(Captioner.from_pretrained(options["model"], **others), seen)


def _engine(
    name: str,
    options: Mapping[str, Any],
    seen: SeenPictures | None,
    workers: int | None,
    address: str | None,
) -> Engine:
    if name == RAY:
        from leyenda.volume.on_ray import open_engine

        return open_engine(options, seen, address=address, workers=workers)
    return _plain(options, seen)


def _check_workers(engine: str, workers: int | None, address: str | None) -> None:
    for option, value in (("--workers", workers), ("--address", address)):
        if value is not None and engine != RAY:
            raise LeyendaError(f"{option} needs --engine ray.", "Add it, or leave the option out.")
    if workers is not None and workers < 1:
        raise LeyendaError(f"There cannot be {workers} workers.", "Give --workers a whole number from 1 up.")


def _check_choice(value: str, known: Sequence[str], option: str) -> None:
    if value not in known:
        raise LeyendaError(f"There is no {option} {value!r}.", f"It is one of: {', '.join(known)}.")
