"""Every option of every verb arrives where it does its work; what it does there, that part's own tests say."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from types import SimpleNamespace

import click
import pytest
from PIL import Image

from leyenda.cli import leyenda, main
from leyenda.data import load_examples
from leyenda.data.splits import assign_splits
from leyenda.text_control import TextRules

SOURCE_ROWS = [
    ("--format csv", "format", "csv"),
    ("--image-column a", "image_column", "a"),
    ("--caption-column a", "caption_column", "a"),
    ("--image-root a", "image_root", "a"),
    ("--revision v1", "revision", "v1"),
    ("--streaming", "streaming", True),
    ("--token hf_x", "token", "hf_x"),
]

METRIC_ROWS = [
    ("--metrics wer,cider_d", "metric_names", ["wer", "cider_d"]),
    ("--tokenizer unicode", "tokenizer", "unicode"),
    ("--df a", "df", "a"),
    ("--objects a", "objects", "a"),
    ("--objects a --annotations b", "annotations", "b"),
    ("--clip-model a", "equipment.clip_model", "a"),
    ("--sentence-model a", "equipment.sentence_model", "a"),
    ("--language-model a", "equipment.language_model", "a"),
    ("--spice-jars a", "equipment.spice_jars", "a"),
    ("--device a", "equipment.device", "a"),
    ("--seed 5", "seed", 5),
]

SCORING_ROWS = [
    ("--references a", "references", "a"),
    ("--split test", "split", "test"),
    ("--language es", "language", "es"),
    ("--only-common", "only_common", True),
    *METRIC_ROWS,
    *SOURCE_ROWS,
]

# Verb: what is typed in any case, and for each option what must arrive, under which name.
ROWS: dict[str, tuple[str, list[tuple[str, str, object]]]] = {
    "quickstart": (
        "",
        [
            ("--output a", "output", "a"),
            ("-o a", "output", "a"),
            ("--language es", "language", "es"),
            ("--seed 5", "seed", 5),
        ],
    ),
    "train": (
        "pictures --output run",
        [
            ("--output a", "output", "a"),
            ("-o a", "output", "a"),
            ("--model a", "model.name", "a"),
            ("--model-revision v1", "model.revision", "v1"),
            ("--from-scratch tiny", "model.from_scratch", "tiny"),
            ("--freeze image_encoder", "model.freeze", ["image_encoder"]),
            ("--config {recipe}", "evaluation.samples", 7),
            ("--set training.weight_decay=0.5", "training.weight_decay", 0.5),
            ("--epochs 3", "training.num_train_epochs", 3.0),
            ("--learning-rate 0.5", "training.learning_rate", 0.5),
            ("--batch-size 5", "training.per_device_train_batch_size", 5),
            ("--batch-size auto", "training.per_device_train_batch_size", "auto"),
            ("--seed 5", "training.seed", 5),
            ("--metric cider_d", "evaluation.metric", "cider_d"),
            ("--reward wer,cider_d=0.3", "reward.scores", {"wer": 1.0, "cider_d": 0.3}),
            ("--patience 5", "evaluation.patience", 5),
            ("--language es", "evaluation.language", "es"),
            ("--validation 0.3", "data.validation", 0.3),
            ("--test 0.3", "data.test", 0.3),
            ("--split-seed 5", "data.split_seed", 5),
            ("--resume", "resume", True),
            ("--push-to a/b", "push_to", "a/b"),
            ("--push-to a/b --private", "private", True),
            ("--engine ray", "ray.output", "run"),
            ("--engine ray --workers 3", "ray.workers", 3),
            ("--engine ray --address host:1", "ray.address", "host:1"),
            ("--device a", "model.device", "a"),
            ("--precision bf16", "model.precision", "bf16"),
            *((typed, f"data.{name}", value) for typed, name, value in SOURCE_ROWS if name != "token"),
            ("--token hf_x", "token", "hf_x"),
        ],
    ),
    "evaluate": (
        "model pictures",
        [
            ("--model-revision v1", "model_revision", "v1"),
            ("--split train", "split", "train"),
            ("--beams 3", "beams", 3),
            ("--max-length 9", "max_length", 9),
            ("--batch-size 5", "batch_size", 5),
            ("--exact-decode", "exact_decode", True),
            ("--language es", "language", "es"),
            ("--validation 0.3", "validation", 0.3),
            ("--test 0.3", "test", 0.3),
            ("--split-seed 5", "split_seed", 5),
            ("--device a", "device", "a"),
            ("--precision bf16", "precision", "bf16"),
            *METRIC_ROWS,
            *SOURCE_ROWS,
        ],
    ),
    "caption": (
        "{picture}",
        [
            ("--model a", "name", "a"),
            ("--revision v1", "revision", "v1"),
            ("--beams 3", "beams", 3),
            ("--max-length 9", "max_length", 9),
            ("--min-length 5", "min_length", 5),
            ("--sample", "sample", True),
            ("--sample --temperature 0.5", "temperature", 0.5),
            ("--sample --top-p 0.5", "top_p", 0.5),
            ("--sample --seed 5", "seed", 5),
            ("--batch-size 5", "batch_size", 5),
            ("--exact-decode", "exact_decode", True),
            ("--max-pixels 5", "max_pixels", 5),
            ("--device a", "device", "a"),
            ("--precision bf16", "precision", "bf16"),
            ("--token hf_x", "token", "hf_x"),
            ("--hidden", "hidden", True),
            ("--list names.txt", "lists", ("names.txt",)),
            ("--image-column a", "image_column", "a"),
            ("--image-root a", "image_root", "a"),
            ("--prompt a", "prompt", "a"),
            ("--prompt a --drop-prompt", "text.drop_prompt", True),
            ("--prefix a", "text.prefix", "a"),
            ("--suffix a", "text.suffix", "a"),
            ("--trigger a", "text.trigger", "a"),
            ("--strip-start a --strip-start b", "text.strip_start", ("a", "b")),
            ("--max-words 5", "text.max_words", 5),
            ("--ban a --ban b", "text.ban", ("a", "b")),
            ("--require a --require b", "text.require", ("a", "b")),
            ("--output a", "output", "a"),
            ("-o a", "output", "a"),
            ("--output a --to sidecar", "to", "sidecar"),
            ("--output a --overwrite", "overwrite", True),
            ("--output a --existing append", "existing", "append"),
            ("--output a --retry-failed", "retry_failed", True),
            ("--output a --min-confidence 0.5", "min_confidence", 0.5),
            ("--output a --min-confidence 0.5 --review b", "review", "b"),
            ("--output a --duplicates each", "duplicates", "each"),
            ("--output a --sidecar-name full", "sidecar_name", "full"),
            ("--output a --shard-size 5", "shard_size", 5),
            ("--output a --record b", "record", "b"),
            ("--output a --engine ray", "engine", "ray"),
            ("--output a --engine ray --workers 3", "workers", 3),
            ("--output a --engine ray --address a", "address", "a"),
            ("--undo a", "undo.path", "a"),
        ],
    ),
    "score": ("--predictions a.jsonl", [("--predictions b", "predictions", "b"), *SCORING_ROWS]),
    "compare": ("a.jsonl b.jsonl", SCORING_ROWS),
    "data show": (
        "pictures",
        [
            ("--grid a.png", "grid.path", "a.png"),
            ("--grid a.png --pictures 5", "grid.pictures", 5),
            ("--grid a.png --columns 5", "grid.columns", 5),
            ("--grid a.png --seed 5", "grid.seed", 5),
            *SOURCE_ROWS,
        ],
    ),
    "data check": (
        "pictures",
        [
            ("--model a", "tokenizer.name", "a"),
            ("--model a --model-revision v1", "tokenizer.revision", "v1"),
            ("--model a --token hf_x", "tokenizer.token", "hf_x"),
            ("--model a --max-caption-tokens 5", "check.max_caption_tokens", 5),
            *SOURCE_ROWS,
        ],
    ),
    "data split": (
        "pictures",
        [
            ("--validation 0.3", "splits.validation", 0.3),
            ("--test 0.3", "splits.test", 0.3),
            ("--seed 5", "splits.seed", 5),
            ("--output a.csv", "written.path", "a.csv"),
            ("-o a", "convert.output", "a"),
            ("--output a --to coco", "convert.format", "coco"),
            *SOURCE_ROWS,
        ],
    ),
    "data convert": (
        "pictures out --to csv",
        [("--to coco", "convert.format", "coco"), ("--link", "convert.copy", "link"), *SOURCE_ROWS],
    ),
    "push": (
        "run a/b",
        [
            ("--private", "private", True),
            ("--revision v1", "revision", "v1"),
            ("--message hello", "message", "hello"),
            ("--license mit", "license_id", "mit"),
            ("--language es", "language", "es"),
            ("--token hf_x", "token", "hf_x"),
            ("--dry-run --license mit", "prepare.license_id", "mit"),
            ("--dry-run --language es", "prepare.language", "es"),
        ],
    ),
}

SHOWN = {
    "": {"--version", "--debug"},
    "evaluate": {"--json", "--predictions", "--report"},
    "caption": {"--json"},
    "score": {"--json", "--report"},
    "compare": {"--json", "--report"},
    "data show": {"--json", "--split"},
    "data check": {"--json"},
}
"""Options that decide what a verb prints and writes: that is looked at in the verb's own tests."""


class Arrived(Exception):
    """The work would begin here."""


@pytest.fixture
def arrived(monkeypatch, tmp_path) -> dict[str, object]:
    """What arrives at the functions that do the work, none of which does any."""
    got: dict[str, object] = {}

    def note(target: str, prefix: str = "", result: object = None, *, goes_on: bool = False):
        """Put a function in the target's place that notes its arguments; it stops there unless told otherwise."""
        module, _, name = target.rpartition(".")
        place = import_module(module)
        itself = getattr(place, name)
        signature = inspect.signature(itself)

        def noting(*given, **named):
            arguments = signature.bind(*given, **named).arguments
            arguments |= arguments.pop("source_options", {}) | arguments.pop("reading", {})
            if equipment := arguments.pop("equipment", None):
                arguments |= {f"equipment.{key}": value for key, value in vars(equipment).items()}
            for key, value in arguments.items():
                got[prefix + key] = str(value) if key in ("path", "output") else value
            if goes_on:
                return itself(*given, **named)
            if result is None:
                raise Arrived
            return result

        monkeypatch.setattr(place, name, noting)

    (tmp_path / "pictures").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / f"{number}.png")
        (tmp_path / "pictures" / f"{number}.txt").write_text("a dog\n")
    examples = load_examples(tmp_path / "pictures")
    note("leyenda.quickstart.run.quickstart")
    note("leyenda.jobs.evaluate.evaluate")
    note("leyenda.jobs.score.score")
    note("leyenda.jobs.compare.compare")
    note("leyenda.data.load.load_examples", result=examples)
    note("leyenda.data.grid.draw_grid", "grid.")
    note("leyenda.data.check.check", "check.")
    note("leyenda.data.convert.convert", "convert.")
    note("leyenda.data.splits.assign_splits", "splits.", result=assign_splits(examples))
    note("leyenda.data.splits.write_splits", "written.")
    note("leyenda.models.load_tokenizer", "tokenizer.", result=SimpleNamespace(model_max_length=99))
    note("leyenda.jobs.push.push")
    note("leyenda.jobs.push.prepare", "prepare.")
    note("leyenda.jobs.train.train")
    note("leyenda.volume.captioning.open_run", goes_on=True)
    note("leyenda.volume.captioning.open_printed_run", goes_on=True)
    note("leyenda.volume.undo.undo", "undo.")
    note("leyenda.volume.on_ray.open_engine", "ray.")
    note("leyenda.jobs.train_with_ray.train_with_ray", "ray.")

    def from_pretrained(name, **options):
        got.update(
            {f"text.{rule}": value for rule, value in asdict(options.pop("text", TextRules())).items()}
        )
        got.update(options, name=name)
        raise Arrived

    monkeypatch.setattr("leyenda.inference.Captioner.from_pretrained", from_pretrained)
    return got


CASES = [
    pytest.param(verb, words, typed, name, value, id=f"{verb} {typed}")
    for verb, (words, rows) in ROWS.items()
    for typed, name, value in rows
]


@pytest.mark.parametrize(("verb", "words", "typed", "name", "value"), CASES)
def test_an_option_arrives(verb, words, typed, name, value, arrived, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text("evaluation:\n  samples: 7\n")
    (tmp_path / "photo.png").write_bytes(b"")
    (tmp_path / "names.txt").write_text("photo.png\n")
    line = f"{verb} {'' if '--undo' in typed else words} {typed}".format(
        recipe="recipe.yaml", picture="photo.png"
    )
    with contextlib.suppress(Arrived):
        main(line.split())
    assert found(arrived, name) == value
    arrived.clear()
    with contextlib.suppress(Arrived):
        main(f"{verb} {words}".format(picture="photo.png").split())
    assert found(arrived, name) != value, "it is so without the option, too"


def found(arrived: dict[str, object], name: str) -> object:
    """What arrived under a name; `data.source` is a value of the recipe, or of its part `training`."""
    if name in arrived:
        return arrived[name]
    value: object = arrived.get("recipe", arrived)
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value


def commands(group: click.Group = leyenda, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, group
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}".strip())
        else:
            yield f"{path} {name}".strip(), command


ALL = dict(commands())
every_command = pytest.mark.parametrize("path", ALL)


@every_command
def test_no_option_is_forgotten_here(path):
    _, rows = ROWS.get(path, ("", []))
    tested = {word for typed, _, _ in rows for word in typed.split() if word.startswith("-")}
    has = {name for parameter in ALL[path].params for name in parameter.opts if name.startswith("-")}
    assert has == tested | SHOWN.get(path, set())


@every_command
def test_help_is_not_cut_and_fits(path, capsys, monkeypatch):
    for columns in (80, 100, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main([*path.split(), "--help"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= min(columns, 100)
        assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage")]
        assert not re.search(r"\bTEXT\b", "\n".join(lines)) or path == "push"


def test_options_of_one_name_say_the_same():
    """Where they are about the same thing: `--seed` and `--output` are each verb's own."""
    alike = ("--format", "--image-column", "--caption-column", "--image-root", "--streaming", "--token")
    alike += ("--device", "--precision", "--model-revision", "--beams", "--max-length")
    said: dict[str, set[str]] = {}
    for command in ALL.values():
        for parameter in command.params:
            for name in set(alike) & set(parameter.opts):
                text = re.sub(r"\s*\[default: .*", "", parameter.help or "")
                said.setdefault(name, set()).add(f"{parameter.make_metavar(click.Context(command))} {text}")
    assert said.keys() == set(alike)
    assert {name: texts for name, texts in said.items() if len(texts) > 1} == {}


def test_the_help_names_every_score():
    from leyenda.cli import scoring_options
    from leyenda.judges import JUDGES
    from leyenda.metrics import METRICS

    assert tuple(METRICS) == scoring_options.METRICS
    assert tuple(JUDGES) == scoring_options.JUDGES
