"""A user's bad day: broken data, pictures, recipes, models and arguments, each with its message and exit code.

Every row is a mess and a command line. Whatever goes wrong, the user gets one line that says what it is and what to
do about it: no traceback, no half result on standard output, no jargon.
"""

# ruff: noqa: E501 - the rows of the table are lines

from __future__ import annotations

import contextlib
import ctypes
import gzip
import io
import json
import os
import re
import shlex
import shutil
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from leyenda.cli import main


@dataclass(frozen=True)
class Row:
    """One mess.

    Args:
        name: what went wrong, as a person would tell it.
        command: what was typed after `leyenda`. In the folder lie `pairs/` (8 pictures with captions, in splits),
            `photo.png` and `model/` (a checkpoint).
        cause: what the message must say about the cause.
        fix: what it must say about what to do; empty where the cause is the fix.
        make: makes the mess, in the folder in which the command is typed.
        code: 2, or 3 where the rest is done all the same.
        stdin: what is piped in.
    """

    name: str
    command: str
    cause: str
    fix: str = ""
    make: Callable[[], object] = field(default=lambda: None, repr=False)
    code: int = 2
    stdin: bytes = b""


# How messes are made. All names are relative to the folder in which the command is typed.


def picture(name: str, shade: int = 0, size: tuple[int, int] = (16, 12)) -> None:
    file(name)
    Image.new("RGB", size, (shade * 30 % 256, shade * 70 % 256, 99)).save(name)


def file(name: str, content: bytes | str = b"") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def pairs(folder: str, count: int, captions: str = "a small grey square\n") -> None:
    for number in range(count):
        picture(f"{folder}/{number}.png", number)
        file(f"{folder}/{number}.txt", captions)


def table(name: str, content: bytes | str) -> None:
    picture("a.png")
    picture("b.png", 1)
    file(name, content)


def huge_picture(name: str) -> None:
    """A PNG of a few hundred bytes that says it has 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    file(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def cut_picture(name: str) -> None:
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "PNG")
    file(name, whole.getvalue()[: len(whole.getvalue()) // 2])


def archive(name: str) -> None:
    with zipfile.ZipFile(name, "w") as zipped:
        zipped.writestr("a.png", b"")


def shard(name: str, keep: int | None = None, shade: int = 0) -> None:
    picture("a.png", shade)
    file(name)
    with tarfile.open(name, "w") as tar:
        tar.add("a.png")
    file(name, Path(name).read_bytes()[:keep])


def broken_model(part: str, content: bytes | None = b"no longer what it was") -> Callable[[], None]:
    """A copy of the checkpoint in `bad/` with one file spoilt, or removed where there is no content."""

    def make() -> None:
        shutil.copytree("model", "bad")
        os.remove(f"bad/{part}")
        if content is not None:
            file(f"bad/{part}", content)

    return make


def changed_config(**changes: object) -> Callable[[], None]:
    def make() -> None:
        shutil.copytree("model", "bad")
        config = json.loads(Path("bad/config.json").read_text())
        file("bad/config.json", json.dumps(config | changes))

    return make


def recipe(text: bytes | str) -> Callable[[], None]:
    return lambda: file("recipe.yaml", text)


def csv(content: bytes | str) -> Callable[[], None]:
    return lambda: table("data.csv", content)


def started_run() -> None:
    """A run that was stopped before its first checkpoint."""
    os.makedirs("run/checkpoints")
    file("run/recipe.yaml", "data:\n  source: pairs\nmodel:\n  from_scratch: tiny\n")


def begun_run() -> None:
    """A run that was stopped after its first checkpoint."""
    started_run()
    file("run/checkpoints/checkpoint-50/trainer_state.json", "{}")


def closed(folder: str) -> None:
    """A folder that can be neither read nor written."""
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0)


def read_only(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o555)


TRAIN = "train pairs --from-scratch tiny --output run --device cpu "
EVALUATE = "evaluate model pairs --device cpu "
CAPTION = "caption photo.png --model model --device cpu "

# One row a line, so that it reads as the table it is.
# fmt: off
ROWS = [
    # The command line itself.
    Row("a verb is misspelt", "trian pairs", "There is no verb 'trian'", "Did you mean 'train'"),
    Row("a verb is invented", "paint photo.png", "There is no verb 'paint'", "Did you mean 'train'"),
    Row("an option is misspelt", CAPTION + "--beam 3", "No such option", "--beams"),
    Row("an option is invented", CAPTION + "--xyzzy", "No such option '--xyzzy'", "See: leyenda caption --help"),
    Row("nothing is named", "data show", "Missing argument 'SOURCE'", "See: leyenda data show --help"),
    Row("a part of data is misspelt", "data shwo pairs", "No such command 'shwo'", "show"),
    Row("one argument too many", "data convert pairs out extra --to csv", "extra", "--help"),
    # Sources of data.
    Row("the path is misspelt", "data show pair", "There is no file or folder 'pair'", "Did you mean 'pairs'"),
    Row("the path is far from any", "data show nowhere/at/all", "There is no file or folder 'nowhere/at/all'", "Check the name and the folder"),
    Row("the folder is empty", "data show empty", "the folder is empty", "Looked for: ", lambda: os.mkdir("empty")),
    Row("pictures have no captions", "data show photos", "2 .png", "a.jpg.txt", lambda: [picture("photos/a.png"), picture("photos/b.png")]),
    Row("the source is a zip file", "data show data.zip", "a file ending in .zip", "Looked for: ", lambda: archive("data.zip")),
    Row("the source is a picture", "data show photo.png", "a file ending in .png", "Looked for: "),
    Row("the source is a spreadsheet", "data show captions.xlsx", "a file ending in .xlsx", "a .csv file with a header", lambda: archive("captions.xlsx")),
    Row("the folder may not be read", "data show closed", "The folder 'closed' may not be opened", "Check its permissions", lambda: closed("closed")),
    Row("the table may not be read", "data show data.csv", "data.csv cannot be read: Permission denied", "Check its permissions", lambda: [table("data.csv", "image,caption\n"), os.chmod("data.csv", 0)]),
    Row("a table has no pictures", "data show data.csv", "data.csv has no column that looks like the image: its columns are photo, caption", "--image-column", csv("photo,caption\na.png,a dog\n")),
    Row("a table has no captions", "data show data.csv", "data.csv has no column that looks like the caption: its columns are image, words", "--caption-column", csv("image,words\na.png,a dog\n")),
    Row("a column is misspelt", "data show data.csv --caption-column captoin", "no column 'captoin'", "Did you mean 'caption'", csv("image,caption\na.png,a dog\n")),
    Row("a comma stands in a caption", "data show data.csv", "data.csv:3: the row has 3 values and the header 2", "quotes", csv("image,caption\na.png,a dog\nb.png,a dog, a cat\n")),
    Row("a semicolon stands in a caption", "data show data.csv", "data.csv:2", "quotes", csv("image;caption\na.png;a dog; a cat\n")),
    Row("a quote is never closed", "data show data.csv", "data.csv:2", "twice", csv('image,caption\na.png,"a dog\nb.png,a cat\n')),
    Row("a table is Latin-1", "data show data.csv", "data.csv:2: byte 0xf1 is not UTF-8", "Save the file as UTF-8", csv("image,caption\na.png,un niño\n".encode("latin-1"))),
    Row("a table is UTF-16", "data show data.csv", "it looks like UTF-16", "Save the file as UTF-8", csv("image,caption\na.png,un niño\n".encode("utf-16"))),
    Row("a table has no bytes", "data show data.csv", "data.csv is empty", "image,caption", csv("")),
    Row("a table has only its header", "data show data.csv", "data.csv holds no pictures", "", csv("image,caption\n")),
    Row("two columns could be captions", "data show data.csv", "caption, text", "--caption-column", csv("image,caption,text\na.png,a dog,a cat\n")),
    Row("captions are a Python list", "data show data.csv", "data.csv:2", "json.dumps", csv("image,caption\na.png,\"['a dog']\"\n")),
    Row("a table names addresses", "data show data.csv", "by address", "Download them first", csv("url,caption\nhttps://example.org/a.png,a dog\n")),
    Row("two pictures have one name", "data show shards", "Two different pictures have the name 'a.png'", "Give each picture its own name", lambda: [shard("shards/1.tar"), shard("shards/2.tar", shade=1)]),
    Row("a line is not JSON", "data show data.jsonl", "data.jsonl:2: not JSON", "", lambda: table("data.jsonl", '{"image": "a.png", "caption": "a dog"}\n{"image": b.png}\n')),
    Row("a line is a list", "data show data.jsonl", "data.jsonl:1: not a JSON object", "Write {", lambda: table("data.jsonl", '["a.png", "a dog"]\n')),
    Row("a caption is a number", "data show data.jsonl", "data.jsonl:1: a caption is not text but '7'", "Write captions as text", lambda: table("data.jsonl", '{"image": "a.png", "caption": 7}\n')),
    Row("a Parquet file is text", "data show data.parquet", "data.parquet is not a Parquet file", "--format csv", lambda: file("data.parquet", "image,caption\n")),
    Row("a Parquet file is cut off", "data show data.parquet", "data.parquet is not a whole Parquet file: its end is missing", "Copy or download it again", lambda: file("data.parquet", b"PAR1" + bytes(99))),
    Row("a Parquet file is damaged", "data show data.parquet", "data.parquet is damaged", "Copy or download it again", lambda: file("data.parquet", b"PAR1" + bytes(99) + b"PAR1")),
    Row("a shard is cut off", "data show data.tar", "data.tar is not a whole tar file", "Copy or download it again", lambda: shard("data.tar", 300)),
    Row("a shard is compressed and cut off", "data show data.tar.gz", "data.tar.gz is not a whole gzip file", "Copy or download it again", lambda: file("data.tar.gz", gzip.compress(os.urandom(999))[:500])),
    Row("a source is neither file nor folder", "data show pipe", "'pipe' is neither a file nor a folder", "Save what it gives as a file", lambda: os.mkfifo("pipe")),
    Row("a split is a number", "data show data.jsonl", "data.jsonl:1: the split is not text but '1'", "Write train, validation or test", lambda: table("data.jsonl", '{"image": "a.png", "caption": "a dog", "split": 1}\n')),
    Row("JSON of a thousand lists in lists", "data show data.jsonl", "data.jsonl:1: lists are nested too deeply", "", lambda: file("data.jsonl", '{"image": ' + "[" * 99_999)),
    Row("COCO boxes in place of captions", "data show data.json", "entry 1 of 'annotations' has no 'caption'", "captions", lambda: table("data.json", '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "bbox": []}]}')),
    Row("a JSON file of something else", "data show data.json", "data.json", "", lambda: file("data.json", '{"a": 1}')),
    Row("one caption file for two pictures", "data show mixed", "'a.txt' could belong to", "a.jpg.txt", lambda: [picture("mixed/a.png"), picture("mixed/a.jpg"), file("mixed/a.txt", "a dog\n")]),
    Row("a format is invented", "data show pairs --format yolo", "There is no data format 'yolo'", "The formats are: "),
    Row("an option of another format", "data show pairs --image-column image", "--image-column means nothing for the format 'sidecar'", "Leave --image-column out"),
    Row("the folder of pictures is misspelt", "data show data.csv --image-root photoz", "There is no folder 'photoz' to look for pictures in", "", csv("image,caption\na.png,a dog\n")),
    Row("a split is misspelt", "data show pairs --split tset", "There is no split 'tset'", "Did you mean 'test'"),
    Row("a grid of no pictures", "data show pairs --grid grid.png --pictures 0", "not 0 and 4", "at least 1 picture"),
    Row("a grid goes nowhere", "data show pairs --grid nowhere/grid.png", "'nowhere/grid.png' cannot be written", "Name another file"),
    Row("a hub data set without a hub", "data show someone/birds", "The Hub cannot be reached to read 'someone/birds', and there is no file or folder of this name", "Check the name, the network and HF_HUB_OFFLINE"),
    # Checking, splitting, converting.
    Row("broken pictures among good ones", "data check damaged", "damaged/empty.txt:1", "no bytes", lambda: [pairs("damaged", 2), file("damaged/empty.png"), file("damaged/empty.txt", "nothing\n")], code=3),
    Row("a caption file is blank", "data check blank", "blank/0.txt:1", "empty", lambda: pairs("blank", 1, "\n"), code=3),
    Row("a picture that a table names is gone", "data check data.csv", "data.csv:2", "gone.png", csv("image,caption\ngone.png,a dog\n"), code=3),
    Row("one of a table's pictures is an address", "data check data.csv", "data.csv:3", "Download it first", csv("image,caption\na.png,a dog\nhttps://x.org/b.png,a cat\n"), code=3),
    Row("a picture too thin to caption", "data check thin", "thin/a.txt:1", "too long and thin", lambda: (picture("thin/a.png", size=(3000, 1)), file("thin/a.txt", "a line\n")), code=3),
    Row("splits as a table and in a format", "data split pairs --output splits.csv --to coco", "--to is for a folder", "leave it out"),
    Row("a compressed table", "data show data.csv.gz", "data.csv.gz is compressed", "Unpack it first", lambda: file("data.csv.gz", b"\x1f\x8b\x08")),
    Row("a grid of another kind", "data show pairs --grid look.pdf", "The grid is a PNG picture", "FILE.png"),
    Row("a report of another kind", "evaluate model pairs --report report.pdf", "'report.pdf' would not be what its ending says", ".html, .htm, .md"),
    Row("a recipe that says a thing twice", TRAIN + "--config recipe.yaml", "recipe.yaml:3 is not YAML: the name 'seed' stands there for the second time", "Mend that line", recipe("training:\n  seed: 1\n  seed: 2\n")),
    Row("captions into a dash", "caption photo.png --model model --to jsonl --output -", "The output '-' is no file", "standard output"),
    Row("an address of another kind among pictures", "caption ftp://example.org/a.png photo.png --model model", "not an http or https address", "Download it first", code=3),
    Row("a table leads out of its folder", "data check in/data.csv", "in/data.csv:2", "../a.png", lambda: table("in/data.csv", "image,caption\n../a.png,a dog\n"), code=3),
    Row("tokens of no model", "data check pairs --max-caption-tokens 9", "--max-caption-tokens", "add --model"),
    Row("captions of no tokens", "data check pairs --model model --max-caption-tokens 0", "--max-caption-tokens is 0", "from 1 up"),
    Row("a revision of no model", "data check pairs --model-revision main", "--model-revision", "add --model"),
    Row("a check for a model that is not there", "data check pairs --model ./nowhere", "There is no model folder './nowhere'", "--model demo"),
    Row("a share is a percentage", "data split pairs --validation 20", "20", "less than 1"),
    Row("a share is a word", "data split pairs --test half", "'half'", "--test"),
    Row("shares leave nothing", "data split pairs --validation 0.5 --test 0.5", "leave nothing to train on", "less than 1"),
    Row("splits go nowhere", "data split pairs --output nowhere/splits.csv", "nowhere/splits.csv cannot be written", "Name another file"),
    Row("convert to an invented format", "data convert pairs out --to coko", "There is no data format 'coko'", "Did you mean 'coco'"),
    Row("convert to the hub", "data convert pairs out --to hub", "read only", "Choose one of"),
    Row("convert into a folder in use", "data convert pairs model --to csv", "exists already", "Name a new folder"),
    Row("convert a picture that is gone", "data convert data.csv out --to jsonl", "gone.png", "leyenda data check", csv("image,caption\ngone.png,a dog\n")),
    Row("convert into a folder that is read only", "data convert pairs locked/out --to csv", "locked/out", "", lambda: read_only("locked")),
    # Recipes and the arguments of training.
    Row("no data is named", "train --output run --from-scratch tiny", "No data is named", "leyenda train SOURCE --output RUN"),
    Row("no run is named", "train pairs", "Missing option '--output'", "leyenda train --help"),
    Row("the data is not there", "train nowhere --output run", "'nowhere'", ""),
    Row("a recipe is not there", TRAIN + "--config recipe.yml", "There is no recipe file 'recipe.yml'", "Check --config"),
    Row("a recipe is a folder", TRAIN + "--config pairs", "'pairs' is a folder", "Name a YAML file"),
    Row("a recipe has tabs", TRAIN + "--config recipe.yaml", "recipe.yaml:2: the line is indented with a tab", "spaces only", recipe("training:\n\tseed: 1\n")),
    Row("a recipe is a list", TRAIN + "--config recipe.yaml", "does not hold names with values", "Write it like", recipe("- seed\n- 1\n")),
    Row("a recipe is a photograph", TRAIN + "--config photo.png", "'photo.png' is not text in UTF-8", "Name a YAML file"),
    Row("a recipe has an unknown part", TRAIN + "--config recipe.yaml", "The recipe has no 'trainng'", "training", recipe("trainng:\n  seed: 1\n")),
    Row("a recipe has two unknown names", TRAIN + "--config recipe.yaml", "The recipe has no 'data.sauce'", "The recipe has no 'model.nome'", recipe("data:\n  sauce: pairs\nmodel:\n  nome: demo\n")),
    Row("a recipe's number is a word", TRAIN + "--config recipe.yaml", "'evaluation.beams'", "'many'", recipe("evaluation:\n  beams: many\n")),
    Row("a recipe of a thousand lists in lists", TRAIN + "--config recipe.yaml", "recipe.yaml is not YAML", "Mend that line", recipe("[" * 9_999)),
    Row("labels smoothed to nothing", TRAIN + "--set training.label_smoothing_factor=1", "'training.label_smoothing_factor' is 1", "less than 1"),
    Row("a beta that no optimizer takes", TRAIN + "--set training.adam_beta1=2", "'training.adam_beta1' is 2", "less than 1"),
    Row("workers below zero", TRAIN + "--set training.dataloader_num_workers=-1", "'training.dataloader_num_workers' is -1", "from 0 up"),
    Row("a schedule without what it needs", TRAIN + "--set training.lr_scheduler_type=warmup_stable_decay", "num_decay_steps", "Change or leave out that value"),
    Row("a schedule with what it does not know", TRAIN + "--set 'training.lr_scheduler_kwargs={num_cycles: 2}'", "num_cycles", "Change or leave out that value"),
    Row("arguments of no optimizer", TRAIN + "--set training.optim_args=foo", "training part does not work", "Change or leave out that value"),
    Row("a settings file that is not there", TRAIN + "--set training.accelerator_config=x.json", "x.json", "Change or leave out that value"),
    Row("a seed with a fraction", TRAIN + "--set training.seed=1.5", "'training.seed' is 1.5", "a whole number from 0"),
    Row("half precision on a CPU by another name", TRAIN + "--set training.fp16=true", "fp16", "--precision fp32"),
    Row("no training, please", TRAIN + "--set training.do_train=false", "cannot set 'training.do_train'", "always trains"),
    Row("patience without evaluations", TRAIN + "--patience 2 --set training.eval_strategy=no", "no evaluations that patience could count", "Leave one of them out"),
    Row("a reward that is no score", TRAIN + "--reward cidr_d", "There is no score 'cidr_d' to reward by", "Did you mean 'cider_d'"),
    Row("a reward that is far from any score", TRAIN + "--reward beauty", "There is no score 'beauty' to reward by", "Reward by one of these: wer,"),
    Row("a reward of all captions together", TRAIN + "--reward wer,distinct", "'distinct' is one of many captions together", "Reward by one of these: wer,"),
    Row("a reward that is a corpus score", TRAIN + "--set reward.scores.bleu_4=1", "'bleu_4' is one of many captions together", "cider_d"),
    Row("a reward's weight in words", TRAIN + "--reward wer=much", "the weight of 'wer' is 'much', which is no number", "--help"),
    Row("a reward without a name", TRAIN + "--reward wer,,cider_d", "'wer,,cider_d' is not a list like wer,cider_d=0.3", "--help"),
    Row("a reward named twice", TRAIN + "--reward wer,wer=2", "'wer' is named twice", "--help"),
    Row("a reward that punishes", TRAIN + "--reward wer=-1", "'reward.scores.wer' is -1", "more than 0"),
    Row("a reward without end", TRAIN + "--reward wer=inf", "'reward.scores.wer' is inf", "a finite number"),
    Row("a reward for a single caption", TRAIN + "--reward wer --set reward.captions=1", "'reward.captions' is 1", "at least 2"),
    Row("a reward before the start", TRAIN + "--reward wer --set reward.from_epoch=-1", "'reward.from_epoch' is -1", "at least 0"),
    Row("a reward of nothing", TRAIN + "--set reward.from_epoch=20", "(reward.from_epoch), but no score is named", "--reward wer,cider_d"),
    Row("a contrast of nothing", TRAIN + "--set reward.contrast=0.5", "reward.contrast is 0.5, but no score is named", "--reward wer,cider_d"),
    Row("captions drawn for nothing", TRAIN + "--set reward.captions=8", "reward.captions is 8, but no score is named", "--reward wer,cider_d"),
    Row("more contrast than all", TRAIN + "--reward wer --set reward.contrast=2", "'reward.contrast' is 2", "at most 1"),
    Row("a reward behind the end", TRAIN + "--reward wer --set reward.from_epoch=20 --epochs 10", "to begin after 20 epochs (reward.from_epoch), but the run ends after 10", "--epochs 22"),
    Row("all pictures are for validation", TRAIN.replace("pairs", "flat") + "--validation 0.99 --set data.test=0", "No picture is left to train on; there are 3 for validation", "lower --set data.validation", lambda: pairs("flat", 3)),
    Row("nothing to score on in the end", TRAIN.replace("pairs", "flat") + "--set data.test=0 --set data.validation=0 --set training.eval_strategy=no", "no test or validation picture to score", "data.test=0.3", lambda: pairs("flat", 3)),
    Row("an optimizer that is not installed", TRAIN + "--set training.optim=adamw_bnb_8bit", "bitsandbytes", "Change or leave out that value"),
    Row("a way to share memory for one device", TRAIN + "--set training.fsdp=full_shard", "there is only one", "torchrun --nproc-per-node 2"),
    Row("the last batch is dropped and there is no other", TRAIN + "--set training.dataloader_drop_last=true", "a step is on 64 pictures, and there are 4", "--batch-size"),
    Row("a recipe's part is a value", TRAIN + "--config recipe.yaml", "the recipe's 'data' is 'pairs'", "Write names with values below 'data'", recipe("data: pairs\n")),
    Row("an override without a value", TRAIN + "--set training.seed", "--set 'training.seed' is not NAME=VALUE", "--set training.seed=1"),
    Row("an override with an unknown name", TRAIN + "--set training.learning_rat=1", "The recipe has no 'training.learning_rat'", "'learning_rate'"),
    Row("an override without its part", TRAIN + "--set learning_rate=1", "The recipe has no 'learning_rate'", "Did you mean 'training.learning_rate'"),
    Row("an override of what leyenda decides", TRAIN + "--set training.output_dir=x", "'training.output_dir'", "--output"),
    Row("a learning rate in words, as an option", TRAIN + "--learning-rate fast", "'fast'", "--learning-rate"),
    Row("a learning rate in words, as an override", TRAIN + "--set training.learning_rate=fast", "'training.learning_rate' is 'fast'", "number"),
    Row("a learning rate below zero", TRAIN + "--learning-rate -1", "'training.learning_rate' is -1", "a number from 0 up"),
    Row("no pictures in a batch", TRAIN + "--batch-size 0", "'training.per_device_train_batch_size' is 0", "a whole number from 1 up"),
    Row("a batch below zero", TRAIN + "--batch-size -4", "'training.per_device_train_batch_size' is -4", "a whole number from 1 up"),
    Row("no epochs", TRAIN + "--epochs 0", "'training.num_train_epochs' is 0", "a number above 0"),
    Row("epochs below zero", TRAIN + "--epochs -3", "'training.num_train_epochs' is -3", "a number above 0"),
    Row("a seed below zero", TRAIN + "--seed -1", "'training.seed' is -1", "a whole number from 0"),
    Row("an unknown optimizer", TRAIN + "--set training.optim=adamm", "adamm", "Did you mean"),
    Row("an unknown schedule", TRAIN + "--set training.lr_scheduler_type=cosinus", "cosinus", "cosine"),
    Row("an unknown strategy", TRAIN + "--set training.eval_strategy=sometimes", "sometimes", "steps"),
    Row("saving out of step with evaluating", TRAIN + "--set training.eval_steps=50 --set training.save_steps=70", "save_steps", "eval_steps"),
    Row("a number that should be yes or no", TRAIN + "--set training.load_best_model_at_end=7", "'training.load_best_model_at_end' is 7", "true or false"),
    Row("a log that is not installed", TRAIN + "--set training.report_to=wandb", "'wandb', which is not installed", "pip install wandb"),
    Row("an invented size", TRAIN.replace("tiny", "huge"), "There is no model size 'huge'", "Sizes are: tiny, small"),
    Row("a size file without sense", TRAIN.replace("tiny", "size.json"), "'size.json' does not describe a model size", "image_size", lambda: file("size.json", '{"layers": 3}')),
    Row("a size file that does not fit", TRAIN.replace("tiny", "size.json"), "patch_size", "at most image_size", lambda: file("size.json", json.dumps({"image_size": 32, "patch_size": 64, "vision_width": 32, "vision_layers": 1, "text_width": 32, "text_layers": 1}))),
    Row("freeze what is not there", TRAIN + "--freeze head", "'model.freeze' is 'head'", "image_encoder"),
    Row("an invented score", TRAIN + "--metric blue", "There is no score 'blue'", "bleu"),
    Row("patience of nothing", TRAIN + "--patience 0", "'evaluation.patience' is 0", "at least 1"),
    Row("a language that is not there", TRAIN + "--language fr", "'fr'", "'en' or 'es'"),
    Row("half precision on a CPU", TRAIN + "--precision fp16", "fp16", "--precision fp32"),
    Row("an invented precision", TRAIN + "--precision fp8", "fp8", "bf16"),
    Row("a graphics card that is not there", TRAIN.replace("cpu", "cuda:99"), "on this machine", ""),
    Row("an invented device", TRAIN.replace("cpu", "gpu"), "There is no device 'gpu'", "Use cpu, cuda"),
    Row("validation and test take all", TRAIN.replace("pairs", "flat") + "--set data.validation=0.6 --set data.test=0.4", "leave nothing to train on", "smaller", lambda: pairs("flat", 4)),
    Row("only one picture", TRAIN.replace("pairs", "flat"), "train", "Give more pictures", lambda: pairs("flat", 1)),
    Row("no validation pictures", TRAIN.replace("pairs", "flat"), "no validation picture", "Give more pictures", lambda: pairs("flat", 3)),
    Row("all captions are empty", TRAIN.replace("pairs", "blank"), "nothing to train on", "leyenda data check", lambda: pairs("blank", 20, "\n")),
    Row("all pictures are broken", TRAIN.replace("pairs", "data.csv"), "nothing to train on", "leyenda data check", csv("image,caption,split\n" + "".join(f"{n}.png,a dog,{s}\n" for n, s in enumerate(["train", "train", "validation", "test"])))),
    Row("resume what is not a run", "train --output pairs --resume", "'pairs' is not a training run", "leyenda train SOURCE --output RUN"),
    Row("resume what is not there", "train --output nowhere --resume", "nowhere", "leyenda train SOURCE --output"),
    Row("resume with another recipe", "train --output run --resume --seed 7", "training.seed", "new run with another --output", started_run),
    Row("a run is there already", TRAIN, "'run' already holds a training run", "--resume", begun_run),
    Row("the output folder is in use", TRAIN.replace("run", "pairs"), "'pairs' is not empty", "Choose another --output"),
    Row("the output is a file", TRAIN.replace("run", "photo.png"), "'photo.png' is a file, not a folder", "Choose another --output"),
    Row("the output is closed", TRAIN.replace("run", "closed"), "'closed' cannot be written: Permission denied", "Choose another --output", lambda: closed("closed")),
    Row("the output is read only", TRAIN.replace("run", "locked/run"), "locked/run", "Choose another --output", lambda: read_only("locked")),
    Row("push without logging in, after training", TRAIN + "--push-to someone/birds", "no hub token", "hf auth login"),
    Row("push to a bad name, after training", TRAIN + "--push-to a/b/c", "a/b/c", "your-name/your-model"),
    Row("private without a push", TRAIN + "--private", "--private", "--push-to"),
    Row("fine-tune a model that is not there", "train pairs --output run --model ./gti-base", "There is no model folder './gti-base'", "--model demo"),
    Row("fine-tune a hub model without a hub", "train pairs --output run", "'microsoft/git-base' is not on this machine", "\nGo online and try again"),
    Row("fine-tune and train from scratch", TRAIN + "--model model", "--model", "--from-scratch"),
    Row("one picture of many is broken", TRAIN.replace("pairs", "damaged") + "--epochs 1 --set training.eval_steps=1", "bad.png' is a PNG picture that ends too early", "Copy or download it again", lambda: [shutil.copytree("pairs", "damaged"), cut_picture("damaged/train/bad.png"), file("damaged/train/bad.txt", "a half\n")], code=3),
    # Models.
    Row("a model folder without a model", "evaluate pairs pairs", "holds no model", "config.json"),
    Row("a model without weights", "evaluate bad pairs", "it has no weights (model.safetensors)", "Copy or save it again", broken_model("model.safetensors", None)),
    Row("weights are cut off", "evaluate bad pairs", "its model.safetensors is cut off or damaged", "Copy or save it again", broken_model("model.safetensors")),
    Row("weights of another shape", "evaluate bad pairs", "'bad'", "another architecture", changed_config(hidden_size=64)),
    Row("a model of another kind", "evaluate bad pairs", "'bad' is a 'bert' model", "Choose a model of one of these kinds", changed_config(model_type="bert")),
    Row("a model of no kind", "evaluate bad pairs", "the kind 'gti'", "name another model", changed_config(model_type="gti")),
    Row("a configuration is not JSON", "evaluate bad pairs", "its config.json is no JSON", "Copy or save it again", broken_model("config.json")),
    Row("a tokenizer is not JSON", "evaluate bad pairs", "its tokenizer.json is no JSON", "Copy or save it again", broken_model("tokenizer.json")),
    Row("a tokenizer is gone", "evaluate bad pairs", "its tokenizer.json or vocabulary is not there", "Copy or save it again", broken_model("tokenizer.json", None)),
    Row("no picture preparation", "evaluate bad pairs", "how to prepare pictures (processor_config.json", "Copy or save it again", broken_model("processor_config.json", None)),
    Row("a run without a model yet", "evaluate run pairs", "has no model yet", "--resume", started_run),
    Row("a model is a file", "evaluate photo.png pairs", "'photo.png' is a file", "config.json"),
    # Scoring.
    Row("no data to score on", "evaluate model", "'model' is not a training run", "leyenda evaluate MODEL SOURCE"),
    Row("score a split that is not there", EVALUATE + "--split tset", "There is no split 'tset'", "Did you mean 'test'"),
    Row("score data that is not there", "evaluate model nowhere", "'nowhere'", ""),
    Row("score with no beams", EVALUATE + "--beams 0", "beams", "from 1 up"),
    Row("score captions of no length", EVALUATE + "--max-length -3", "-3", "from 1 up"),
    Row("score batches of nothing", EVALUATE + "--batch-size 0", "batch size", "from 1 up"),
    Row("score in a language that is not there", EVALUATE + "--language klingon", "klingon", "es"),
    Row("predictions go nowhere", EVALUATE + "--predictions nowhere/out.jsonl", "nowhere", "mkdir"),
    Row("predictions go into a folder", EVALUATE + "--predictions pairs", "'pairs' is a folder", "Name a file in it"),
    Row("the report goes nowhere", EVALUATE + "--report nowhere/report.html", "nowhere", "mkdir"),
    Row("the report goes into a closed folder", EVALUATE + "--report locked/report.html", "locked/report.html", "another folder", lambda: read_only("locked")),
    Row("score captions that are empty", "evaluate model blank --split all", "None of the pictures could be scored", "leyenda data check", lambda: pairs("blank", 3, "\n")),
    Row("score with one broken picture", "evaluate model damaged --split all", "empty.png", "no bytes", lambda: [pairs("damaged", 3), file("damaged/empty.png"), file("damaged/empty.txt", "nothing\n")], code=3),
    # Captions.
    Row("nothing to caption", "caption", "Missing argument 'INPUT...'", "leyenda caption --help"),
    Row("the picture's name is misspelt", "caption foto.png --model model", "There is no file 'foto.png'", "Check the name"),
    Row("one of two pictures is not there", "caption photo.png foto.png --model model", "foto.png", "Check the name", code=3),
    Row("the folder has no pictures", "caption empty --model model", "holds no picture", ".jpg", lambda: os.mkdir("empty")),
    Row("no picture fits the pattern", "caption '*.gif' --model model", "No picture matches '*.gif'", ".jpg"),
    Row("the folder may not be opened", "caption closed --model model", "The folder 'closed' cannot be read", "Check its permissions", lambda: closed("closed")),
    Row("a picture may not be read", "caption closed.png --model model", "closed.png", "", lambda: [picture("closed.png"), os.chmod("closed.png", 0)], code=3),
    Row("captions in place of a picture", "caption pairs/train/0.txt --model model", "pairs/train/0.txt", "", code=3),
    Row("a picture without bytes", "caption empty.png --model model", "'empty.png' holds no bytes", "", lambda: file("empty.png"), code=3),
    Row("a web page in place of a picture", "caption page.jpg --model model", "'page.jpg' is", "", lambda: file("page.jpg", "<!doctype html><html></html>"), code=3),
    Row("a picture is cut off", "caption cut.png --model model", "ends too early", "Copy or download it again", lambda: cut_picture("cut.png"), code=3),
    Row("a picture of 3.6 gigapixels", "caption huge.png --model model", "60000 x 60000 pixels", "--max-pixels", lambda: huge_picture("huge.png"), code=3),
    Row("a limit of no pixels", CAPTION + "--max-pixels 0", "max_pixels is 0", "from 1 up"),
    Row("an address of another kind", "caption ftp://example.org/a.png --model model", "ftp://example.org/a.png", "http"),
    Row("a file's address", "caption file:///photo.png --model model", "file:///photo.png", "http"),
    Row("an address at which nobody answers", "caption http://127.0.0.1:9/a.png --model model", "http://127.0.0.1:9/a.png cannot be fetched: nobody answers there", "Check the address", code=3),
    Row("a server that nobody knows", "caption http://no-such-server.invalid/a.png --model model", "cannot be fetched: no server of that name is found", "Check the address", code=3),
    Row("nothing is piped in", "caption - --model model", "Standard input is empty", "Pipe a picture into it"),
    Row("standard input twice", "caption - - --model model", "named twice", "only once"),
    Row("a list of pictures that are not there", "caption - --model model", "There is no file 'foto.png'", "Check the name", stdin=b"foto.png\nfota.png\n"),
    Row("the default model without a hub", "caption photo.png", "'microsoft/git-base-coco' is not on this machine", "\nGo online and try again"),
    Row("a model that is not there", "caption photo.png --model modle", "There is no model 'modle'", "Name a folder"),
    Row("a revision of a folder", CAPTION + "--revision main", "A folder has no revisions", "Leave out --revision"),
    Row("no beams", CAPTION + "--beams 0", "beams", "from 1 up"),
    Row("half a beam", CAPTION + "--beams 1.5", "'1.5'", "--beams"),
    Row("shortest above longest", CAPTION + "--min-length 60", "min_length (60) is more than max_length (50)", "Lower the one"),
    Row("longer than the model can", CAPTION + "--min-length 80 --max-length 90", "80", "at most 63"),
    Row("no pictures at a time", CAPTION + "--batch-size 0", "batch size", "from 1 up"),
    Row("sampling with beams", CAPTION + "--sample --beams 3", "3 beams", "leave out one of the two"),
    Row("a temperature without sampling", CAPTION + "--temperature 0.5", "--temperature", "--sample"),
    Row("a temperature of zero", CAPTION + "--sample --temperature 0", "temperature", "greater than 0"),
    Row("more than all words", CAPTION + "--sample --top-p 1.5", "top_p", "at most 1"),
    Row("words to ban that are none", CAPTION + "--ban ...", "--ban '...' holds no word", "letters or digits"),
    Row("a word that must be there and may not", CAPTION + "--ban red --require 'red dog'", "'red dog' is required and 'red' is banned", "Leave out one"),
    Row("a caption of no words", CAPTION + "--max-words 0", "max_words is 0", "from 1 up"),
    Row("an empty trigger word", CAPTION + "--trigger ,", "--trigger ',' holds no word", "letters or digits"),
    Row("a start to strip that is blank", CAPTION + "--strip-start ' '", "--strip-start ' ' holds no word", "letters or digits"),
    Row("a word that the model cannot write", CAPTION + "--require 猫", "cannot write '猫'", "Leave out --require"),
    Row("an empty prompt", CAPTION + "--prompt ''", "The prompt is empty", "leave out --prompt"),
    Row("a prompt with a loose brace", CAPTION + "--prompt 'a {name'", "'a {name'", "as in 'a photo of {name}'"),
    Row("a column for pictures without columns", CAPTION + "--prompt 'a {name}'", "needs a column 'name'", "Name a table of pictures"),
    Row("a prompt that is not there to be dropped", CAPTION + "--drop-prompt", "--drop-prompt needs --prompt", "See: leyenda caption --help"),
    Row("a prompt longer than the model", CAPTION + "--prompt '" + "a " * 70 + "'", "70 tokens", "shorter", code=3),
    Row("a required word that no caption has", CAPTION + "--require zebra", "zebra", "beams", code=3),
    Row("an invented number format", CAPTION + "--precision fp7", "There is no precision 'fp7'", "fp"),
    Row("a device of science fiction", CAPTION.replace("cpu", "quantum"), "There is no device 'quantum'", "Use cpu"),
    Row("the output is there already", CAPTION + "--output out.jsonl", "'out.jsonl' exists already", "--overwrite", lambda: file("out.jsonl", "mine\n")),
    Row("what a stopped run had done", CAPTION + "--output out.jsonl", "out.jsonl.partial", "--overwrite", lambda: file("out.jsonl.partial", "{}\n")),
    Row("the output goes nowhere", CAPTION + "--output nowhere/out.jsonl", "There is no folder 'nowhere'", "mkdir -p nowhere"),
    Row("the output is a folder", CAPTION + "--output pairs", "'pairs' is a folder", "Name a file in it"),
    Row("the output is a spreadsheet", CAPTION + "--output out.xlsx", "'out.xlsx' cannot be told by its ending", ".jsonl, .ndjson, .csv, .parquet"),
    Row("the review list is somebody's file", CAPTION + "--output out.jsonl --min-confidence 0.5 --review mine.jsonl", "'mine.jsonl' exists already", "--review FILE", lambda: file("mine.jsonl", "mine\n")),
    Row("a list without --list", "caption mine.txt --model model", "'mine.txt' is no picture, but a list", "--list mine.txt", lambda: file("mine.txt", "photo.png\n")),
    Row("the output's ending says another", CAPTION + "--output out.csv --to parquet", "What is written is parquet, not .csv", "out.parquet"),
    Row("an invented output", CAPTION + "--output out --to sidecars", "There is no output 'sidecars'", "Did you mean 'sidecar'"),
    Row("shards into nowhere", CAPTION + "--to webdataset", "needs a folder", "--output shards"),
    Row("two pictures with one text file", "caption mixed --model model --to sidecar", "'mixed/a.jpg' and 'mixed/a.png' would share the file 'mixed/a.txt'", "--sidecar-name full", lambda: [picture("mixed/a.png"), picture("mixed/a.jpg")]),
    Row("an invented way with captions that are there", CAPTION + "--to sidecar --existing ask", "There is no way 'ask'", "skip, overwrite, append, prepend"),
    Row("surer than sure", CAPTION + "--output out.jsonl --min-confidence 1.5", "1.5", "between 0 and 1"),
    Row("a list for review of nothing", CAPTION + "--output out.jsonl --review list.jsonl", "--review needs --min-confidence", "--help"),
    Row("replace captions that are nowhere", CAPTION + "--existing overwrite", "--existing needs --output", "--help"),
    Row("undo what is no record", "caption --undo photo.png", "'photo.png' is no record", "--existing overwrite"),
    Row("undo what is not there", "caption --undo record.jsonl", "There is no file 'record.jsonl'", "Name the record"),
    Row("a list that is not there", "caption --list names.txt --model model", "names.txt", "No such file"),
    Row("a list of nothing", "caption --list names.txt --model model", "'names.txt' is empty", "one a line", lambda: file("names.txt")),
    Row("a shard that breaks off", "caption s.tar --model model", "s.tar", "Copy or download it again", lambda: file("s.tar", "no tar file")),
    Row("a table without pictures", "caption data.csv --model model", "data.csv has no column that looks like the image", "--image-column", csv("who,what\na,b\n")),
    Row("a table without rows", "caption data.csv --model model", "data.csv", "no rows", csv("image\n")),
    Row("a prompt of no column", "caption data.csv --model model --prompt 'a {nane}'", "There is no column 'nane'", "Did you mean 'name'", csv("image,name\nphoto.png,Ana\n")),
    Row("the output is in a read-only folder", CAPTION + "--output locked/out.jsonl", "locked/out.jsonl", "another folder", lambda: read_only("locked")),
    Row("overwrite what", CAPTION + "--overwrite", "--overwrite", "needs --output"),
    # Sharing.
    Row("push what is not there", "push nowhere someone/birds", "'nowhere' does not exist", "leyenda train --output"),
    Row("push pictures", "push pairs someone/birds --token hf_x", "neither a training run nor a model", "leyenda train --output"),
    Row("push without logging in", "push model someone/birds", "no hub token", "hf auth login"),
    Row("push to a name that the hub cannot take", "push model 'some one/birds' --token hf_x", "'some one/birds'", "your-name/your-model"),
    Row("push with two things wrong", "push model 'some one/birds'", "no hub token", "your-name/your-model"),
    Row("push an unfinished run", "push run someone/birds --token hf_x", "no trained model yet", "--resume", started_run),
    Row("push weights that are cut off", "push bad someone/birds --token hf_x", "'bad/model.safetensors' are cut off or damaged", "train it again", broken_model("model.safetensors")),
    Row("push without a hub", "push model someone/birds --token hf_x", "Talking to the hub is switched off", "Unset HF_HUB_OFFLINE"),
    # The first run.
    Row("a quickstart in French", "quickstart --language fr", "'fr'", "--language es"),
    Row("a quickstart into a file", "quickstart --output photo.png", "'photo.png' is a file, not a folder", "Choose another --output"),
    Row("a quickstart into a folder in use", "quickstart --output pairs", "'pairs' is not empty", "Choose another --output"),
    Row("a quickstart over another run", "quickstart --output run", "'run' holds another training run", "another --output", started_run),
]
# fmt: on


@pytest.fixture
def folder(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the command is typed."""
    import torch

    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    for split, count in {"train": 4, "validation": 2, "test": 2}.items():
        pairs(f"pairs/{split}", count)
    picture("photo.png")
    os.symlink(tiny_checkpoint, "model")
    with permissions_respected():
        yield tmp_path
    for place in tmp_path.iterdir():
        if not place.is_symlink():
            place.chmod(0o755)


@contextlib.contextmanager
def permissions_respected() -> Iterator[None]:
    """Give up, for a while, the administrator's power to open everything, where the tests have it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    powers = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, powers) == 0
    before = powers[0]
    powers[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert libc.capset(header, powers) == 0
    try:
        yield
    finally:
        powers[0] = before
        assert libc.capset(header, powers) == 0


JARGON = re.compile(
    r"Traceback|__|codec|object at 0x|NoneType|[a-z]Error\b|Errno|Exception\b|pydantic|deserializ|magic|footer"
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_mistake_is_told_plainly(row: Row, folder: Path, capsys, monkeypatch) -> None:
    row.make()
    before = files_in(folder)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(row.stdin)))
    code = main(shlex.split(row.command))
    out, err = capsys.readouterr()
    told = err if code == 2 else out + err
    assert (code, row.cause in told, row.fix in told) == (row.code, True, True), told
    assert not JARGON.search(told), told
    errors = [line for line in err.splitlines() if line.startswith("leyenda: error: ")]
    if row.code == 2:
        assert out == ""
        assert len(errors) == 1
        # One line, and it is the last; only for a missing model the fix has a line of its own.
        assert err.endswith(errors[0] + "\n") or row.fix.startswith("\n")
        assert {path for path in files_in(folder) - before if not path.startswith("run/")} == set()
    else:
        assert not errors


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 60
    assert len({row.name for row in ROWS}) == len(ROWS)
    verbs = {" ".join(row.command.split()[: 2 if row.command.startswith("data ") else 1]) for row in ROWS}
    parts = ["data show", "data check", "data split", "data convert"]
    assert {"train", "evaluate", "caption", "push", "quickstart", *parts} <= verbs


def test_a_mistake_in_the_data_does_not_use_up_the_folder(folder: Path, capsys) -> None:
    """What failed before its first checkpoint can be typed again, mended, without another --output."""
    pairs("mine", 6, "\n")
    command = "train mine --from-scratch tiny --output run --device cpu --epochs 1 --set data.validation=0.4"
    assert main(shlex.split(command)) == 2
    shutil.rmtree("mine")
    shutil.copytree("pairs", "mine")
    assert main(shlex.split(command)) == 0, capsys.readouterr().err
    assert main(shlex.split(command)) == 2
    assert "already holds a training run" in capsys.readouterr().err
