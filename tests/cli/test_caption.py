"""`leyenda caption`, as a person at a terminal meets it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from leyenda.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with three pictures, and two files that only look like pictures."""
    random = np.random.default_rng(5)
    (tmp_path / "more").mkdir()
    for name in ("a.png", "b.jpg", "more/c.png"):
        Image.fromarray(random.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "page.jpg").write_bytes(b"<html>Not found</html>")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def caption(tiny_checkpoint, here, capsys):
    """A function: arguments -> exit code, standard output, standard error."""

    def run(*arguments, model=tiny_checkpoint):
        capsys.readouterr()
        code = main(
            ["caption", *map(str, arguments), "--model", str(model), "--device", "cpu", "--max-length", "6"]
        )
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_picture_is_its_caption_and_nothing_else(caption):
    code, out, err = caption("a.png")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 1
    assert out.strip()
    assert "a.png" not in out


def test_several_pictures_are_names_and_captions(caption):
    code, out, err = caption("b.jpg", "a.png", "more")
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [name for name, _ in rows] == ["b.jpg", "a.png", "more/c.png"]
    for name, text in rows:
        assert caption(name)[1] == text + "\n"


def test_bad_pictures_stop_no_other_and_are_listed(caption):
    code, out, err = caption(".", "gone.png")
    assert code == 3
    assert [line.split("\t")[0] for line in out.splitlines()] == ["a.png", "b.jpg", "more/c.png"]
    assert err.splitlines() == [
        "No caption for 3 of 6 pictures:",
        "  'empty.png' holds no bytes at all.",
        "  'page.jpg' is a web page.",
        "  There is no file 'gone.png'. Check the name and the folder.",
    ]


def test_lines_for_machines(caption, here):
    code, out, err = caption(".", "--output", "out.jsonl", "--batch-size", 2)
    assert (code, out) == (3, "")
    assert err.endswith("Wrote out.jsonl (5 pictures: 3 captioned, 2 failed).\n")
    written = records(here / "out.jsonl")
    assert [record["image"] for record in written] == [
        "a.png",
        "b.jpg",
        "empty.png",
        "more/c.png",
        "page.jpg",
    ]
    for record in written:
        if record["image"] in ("empty.png", "page.jpg"):
            assert record.keys() == {"image", "error"}
            assert record["error"].keys() == {"code", "message"}
        else:
            assert record.keys() == {"image", "caption", "confidence"}
            assert 0 < record["confidence"] <= 1
    assert written[2]["error"]["code"] == "empty"

    code, out, _ = caption(".", "--json")
    assert code == 3
    assert [json.loads(line) for line in out.splitlines()] == written


def test_an_output_that_is_there_is_replaced_only_when_asked(caption, here):
    (here / "out.jsonl").write_text("a person's work")
    code, _, err = caption("a.png", "--output", "out.jsonl")
    assert code == 2
    assert err == (
        "leyenda: error: 'out.jsonl' exists already, and does not hold captions as leyenda writes them. "
        "Choose another name, or replace it with --overwrite.\n"
    )
    assert caption("a.png", "--output", "out.jsonl", "--overwrite")[0] == 0
    assert records(here / "out.jsonl")[0]["image"] == "a.png"


def test_many_failures_are_not_all_repeated_when_they_are_in_the_lines(caption, here):
    for number in range(30):
        (here / f"none{number:02}.png").write_bytes(b"")
    code, _, err = caption(".", "--output", "out.jsonl")
    assert code == 3
    assert "No caption for 32 of 35 pictures:" in err
    assert '  … and 12 more: look for "error" in the output.' in err
    assert "none29.png" in caption(".")[2]


def test_standard_input(caption, here, monkeypatch):
    def pipe(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return caption("-")

    assert pipe((here / "a.png").read_bytes()) == caption("a.png")
    assert pipe(b"b.jpg\na.png\n") == caption("b.jpg", "a.png")


def test_beams_sampling_and_lengths_change_the_captions(caption):
    plain = caption("a.png", "b.jpg")[1]
    assert caption("a.png", "b.jpg", "--beams", 3)[1] != plain
    drawn = caption("a.png", "b.jpg", "--sample", "--seed", 1)[1]
    assert drawn != plain
    assert caption("a.png", "b.jpg", "--sample", "--seed", 1, "--batch-size", 1)[1] == drawn
    assert caption("a.png", "b.jpg", "--sample", "--seed", 2)[1] != drawn
    assert caption("a.png", "b.jpg", "--sample", "--seed", 1, "--temperature", 0.001)[1] == plain
    assert caption("a.png", "b.jpg", "--sample", "--seed", 1, "--top-p", 0.001)[1] == plain


def test_a_name_that_is_no_utf8(caption, here):
    odd = os.fsdecode(b"a\xf1o.png")
    (here / "a.png").rename(here / odd)
    code, out, _ = caption(odd, "b.jpg")
    assert code == 0
    assert out.startswith("a\\udcf1o.png\t")
    assert caption(odd, "b.jpg", "-o", "out.jsonl")[0] == 0
    assert records(here / "out.jsonl")[0]["image"] == odd


def test_an_error_keeps_what_was_done_and_the_same_command_goes_on(caption, here, monkeypatch):
    from leyenda.models import CaptioningModel

    words = ("a.png", "empty.png", "b.jpg", "more/c.png", "--batch-size", 1)
    assert caption(*words, "-o", "whole.jsonl")[0] == 3
    generate = CaptioningModel.generate
    calls = []

    def stopped(self, *arguments, **named):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return generate(self, *arguments, **named)

    monkeypatch.setattr(CaptioningModel, "generate", stopped)
    code, _, err = caption(*words, "-o", "out.jsonl")
    assert code == 130
    assert "'empty.png' holds no bytes" in err
    assert "Kept in out.jsonl.partial: 3 pictures. Go on with:\n  leyenda caption a.png empty.png" in err
    assert err.endswith("leyenda: stopped.\n")
    assert not (here / "out.jsonl").exists()
    assert caption(*words, "-o", "out.jsonl")[0] == 3
    assert len(calls) == 4  # two pictures before the error, the one that it struck, and that one again
    assert (here / "out.jsonl").read_bytes() == (here / "whole.jsonl").read_bytes()
    assert not (here / "out.jsonl.partial").exists()


def test_a_command_of_a_thousand_names_is_not_shown_again(caption, here, monkeypatch):
    from leyenda.models import CaptioningModel

    def stopped(self, *arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(CaptioningModel, "generate", stopped)
    names = [f"gone-{number}.png" for number in range(1000)]
    code, _, err = caption(*names, "a.png", "-o", "out.jsonl")
    assert code == 130
    assert "  the same command as before, from the same folder\n" in err
    assert len(err) < 2_000, err


BAD_ARGUMENTS = [
    (["nope.png"], "There is no file 'nope.png'. Check the name and the folder."),
    (["*.gif"], "No picture matches '*.gif'. Check the name"),
    (["a.png", "--beams", "0"], "beams is 0. It must be a whole number from 1 up."),
    (["a.png", "--beams", "many"], "Invalid value for '--beams': 'many' is not a valid integer."),
    (["a.png", "--beam", "3"], "No such option '--beam'. (Did you mean one of: '--ban', '--beams'?)"),
    (["a.png", "--out", "x.jsonl"], "No such option '--out'. (Did you mean one of: '--output'"),
    (["a.png", "--min-length", "9"], "min_length (9) is more than max_length (6)."),
    (["a.png", "--batch-size", "0"], "The batch size is 0."),
    (["a.png", "--max-pixels", "0"], "max_pixels is 0. It must be a whole number from 1 up."),
    (["a.png", "--sample", "--beams", "2"], "Sampling does not go together with 2 beams."),
    (["a.png", "--temperature", "0.5"], "--temperature needs --sample."),
    (["a.png", "--top-p", "0.5"], "--top-p needs --sample."),
    (["a.png", "--seed", "5"], "--seed needs --sample."),
    (["a.png", "--sample", "--top-p", "2"], "top_p is 2.0. It must be greater than 0 and at most 1."),
    (["a.png", "--sample", "--temperature", "0"], "temperature is 0.0."),
    (["a.png", "--overwrite"], "--overwrite needs --output."),
    (["a.png", "-o", "no/out.jsonl"], "There is no folder 'no'. Make it with: mkdir -p no"),
    (["a.png", "-o", "out.xlsx"], "What to write into 'out.xlsx' cannot be told by its ending."),
    (["a.png", "-o", "out.json"], "What to write into 'out.json' cannot be told by its ending."),
    (["a.png", "-o", "out.csv.gz", "--to", "csv"], "What is written is csv, not .gz."),
    (
        ["a.png", "-o", "out"],
        "What to write into 'out' cannot be told by its ending. Files end in .jsonl, .ndjson",
    ),
    (["a.png", "-o", "out/", "--to", "csv"], "'out/' names a folder. The output csv needs a file."),
    (["a.png", "-o", ""], "--output is empty."),
    (["a.png", "-o", "x.jsonl", "--shard-size", "5"], "--shard-size has no meaning for the output jsonl."),
    (["a.png", "-o", "x.csv", "--sidecar-name", "full"], "--sidecar-name has no meaning for the output csv."),
    (["a.png", "-o", "x.jsonl", "--record", "r.jsonl"], "--record has no meaning for the output jsonl."),
    (["a.png", "--image-column", "nope"], "--image-column has no meaning here: no table is named."),
    (["more", "--image-root", "/nope"], "--image-root has no meaning here: no table is named."),
    (["a.png", "--undo", "more"], "--undo needs nothing but RECORD; leave out INPUT."),
    (["--undo", "more", "--model", "demo"], "--undo needs nothing but RECORD; leave out --model."),
    (["--undo", "more", "-o", "x.jsonl"], "--undo needs nothing but RECORD; leave out --output."),
    (["a.png", "-o", "out.csv", "--to", "jsonl"], "What is written is jsonl, not .csv."),
    (
        ["a.png", "-o", "out.jsonl", "--to", "jsonlines"],
        "There is no output 'jsonlines'. Did you mean 'jsonl'",
    ),
    (["a.png", "--to", "jsonl"], "The output jsonl needs a file. Name it: --output captions.jsonl"),
    (["a.png", "--to", "webdataset"], "The output webdataset needs a folder."),
    (["a.png", "--to", "sidecar", "-o", "b.jpg"], "'b.jpg' is a file. The output sidecar needs a folder"),
    (["a.png", "--to", "sidecar", "--sidecar-name", "long"], "There is no --sidecar-name 'long'."),
    (["a.png", "-o", "x.jsonl", "--existing", "ask"], "There is no way 'ask' to treat captions"),
    (["a.png", "-o", "x.jsonl", "--duplicates", "same"], "There is no --duplicates 'same'."),
    (["a.png", "-o", "x.jsonl", "--min-confidence", "2"], "The least confidence is 2. It must be between"),
    (["a.png", "-o", "x", "--to", "webdataset", "--existing", "append"], "Shards that are finished"),
    (["a.png", "-o", "x", "--to", "webdataset", "--shard-size", "0"], "The shard size is 0."),
    (["a.png", "--existing", "append"], "--existing needs --output."),
    (["a.png", "--min-confidence", "0.5"], "--min-confidence needs --output."),
    (["a.png", "-o", "x.jsonl", "--review", "r.jsonl"], "--review needs --min-confidence."),
    (["--undo", "nothing.jsonl"], "There is no file 'nothing.jsonl'."),
    (["--undo", "a.png"], "'a.png' is no record"),
    (["--list", "nothing.txt"], "The list 'nothing.txt' cannot be read: No such file or directory."),
    (["a.png", "--prompt", "a photo of {name}"], "The prompt"),
    (["a.png", "-o", "more"], "'more' is a folder."),
    (["a.png", "--device", "gpu"], "There is no device 'gpu'."),
    (["a.png", "--precision", "half"], "There is no precision 'half'."),
    (["a.png", "--revision", "v2"], "A folder has no revisions"),
    (["a.png", "--model", "demmo"], "There is no model 'demmo'. Did you mean 'demo'?"),
    (["a.png", "--model", "more"], "The folder 'more' holds no model: it has no config.json."),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS, ids=lambda value: " ".join(value)[:40])
def test_what_a_user_gets_wrong_is_one_line(tiny_checkpoint, here, capsys, arguments, message):
    # The last of two equal options holds, so the row's own ones come last.
    model = [] if "--undo" in arguments else ["--model", str(tiny_checkpoint), "--max-length", "6"]
    code = main(["caption", *model, *arguments])
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.startswith(f"leyenda: error: {message}")
    assert printed.err.count("\n") == 1
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "b.jpg", "empty.png", "more", "page.jpg"]


def test_arguments_are_checked_before_the_model(here, capsys):
    for arguments in (["nope.png"], ["a.png", "-o", "no/out.jsonl"], ["a.png", "--beams", "0"]):
        assert main(["caption", *arguments, "--model", "./no-model"]) == 2
        assert "no-model" not in capsys.readouterr().err


def test_the_defaults_are_the_library_s_own():
    """Written once more in the command, so that its help loads neither torch nor Pillow."""
    from leyenda.cli import evaluate
    from leyenda.cli.caption import command
    from leyenda.images import DEFAULT_MAX_PIXELS
    from leyenda.inference.captioner import batch_size_on
    from leyenda.models import DEFAULT_MODEL
    from leyenda.volume import captioning

    defaults = {parameter.name: parameter.default for parameter in command.params}
    assert defaults["model"] == DEFAULT_MODEL
    assert defaults["max_pixels"] == DEFAULT_MAX_PIXELS
    batches = batch_size_on("cpu"), batch_size_on("cuda")
    for one in (command, evaluate.command):
        told = next(parameter.help for parameter in one.params if parameter.name == "batch_size")
        assert "[default: {}, or {} on a GPU]".format(*batches) in told
    assert captioning.DEFAULT_MODEL == DEFAULT_MODEL


def test_the_pixel_limit(caption):
    code, out, err = caption("a.png", "b.jpg", "--max-pixels", 2399)
    assert (code, out) == (3, "")
    assert err.count("60 x 40 pixels, 2,400 in all; the limit is 2,399.") == 2
    assert caption("a.png", "--max-pixels", 2400)[0] == 0


def leyenda(*arguments, **variables):
    return [sys.executable, "-m", "leyenda", *map(str, arguments)], os.environ | variables


@pytest.mark.parametrize(
    "variables",
    [
        {"HF_HUB_OFFLINE": "1"},
        {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"},
    ],
    ids=["offline", "nobody answers"],
)
def test_without_a_hub_the_default_model_is_an_error_of_two_lines(here, variables):
    command, environment = leyenda("caption", "a.png", **variables)
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "leyenda: error: The model 'microsoft/git-base-coco' is not on this machine, "
        "and the model hub does not answer.",
        "Go online and try again, or name a model that is here: --model FOLDER, or --model demo.",
    ]


@pytest.fixture
def long_list(tiny_checkpoint, here):
    """Words of a command that works for long."""
    (here / "list.txt").write_text("a.png\n" * 20_000)
    return ["caption", "--list", "list.txt", "--model", tiny_checkpoint, "--max-length", 2]


def started(words, threads):
    """The command as a process of its own, with so many threads for the model; and how it was typed."""
    command, environment = leyenda(*words, OMP_NUM_THREADS=str(threads))
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a script ignores Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return process, "leyenda " + " ".join(command[3:])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_real_ctrl_c(here, long_list, threads):
    """The process is stopped while it works through a long list."""
    words = [*long_list, "-o", "out.jsonl", "--batch-size", 2, "--duplicates", "each"]
    process, typed = started(words, threads)
    partial = here / "out.jsonl.partial"
    while process.poll() is None and not (partial.exists() and partial.read_text().count('"image"')):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    lines = records(partial)
    kept = [line for line in lines if "image" in line]
    assert 0 < len(kept) < 20_000
    assert len(kept) % 2 == 0  # the batch in hand was finished
    assert lines[-1]["group"] == 2
    assert err.splitlines() == [
        "",
        "Finishing the pictures in hand. Ctrl-C again stops at once.",
        f"Kept in out.jsonl.partial: {len(kept):,} pictures. Go on with:",
        f"  {typed}",
        "leyenda: stopped.",
    ]


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_while_captions_are_printed(long_list, threads):
    process, _ = started([*long_list, "--batch-size", 2], threads)
    assert process.stdout.readline().startswith("a.png\t")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "\nleyenda: stopped.\n")
