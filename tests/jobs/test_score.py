"""`leyenda score`: files in, scores with intervals and controls out; nothing dropped in silence; no model loaded."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from leyenda import metrics
from leyenda.cli import main
from leyenda.jobs.matching import match
from leyenda.jobs.predictions_file import read_predictions
from leyenda.jobs.references import Reference, read_references
from leyenda.jobs.score import score

SAID = {
    "a.jpg": "a dog runs on the grass",
    "b.jpg": "a cat",
    "c.jpg": "two red birds fly",
    "d.jpg": "a man sits",
}
WRITTEN = {
    "a.jpg": ["a dog runs", "the brown dog is running on the grass"],
    "b.jpg": ["a cat sleeps", "a sleeping cat"],
    "c.jpg": ["two birds fly over a house"],
    "d.jpg": ["a man sits on a bench", "someone on a bench"],
}


def lines(path: str, rows: list[dict]) -> None:
    Path(path).write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The same captions and references in every form that is read."""
    monkeypatch.chdir(tmp_path)
    lines("p.jsonl", [{"image": name, "caption": text, "confidence": 0.5} for name, text in SAID.items()])
    lines("r.jsonl", [{"image": name, "references": texts} for name, texts in WRITTEN.items()])
    lines("both.jsonl", [{"image": n, "caption": SAID[n], "references": WRITTEN[n]} for n in SAID])
    numbers = {name: number for number, name in enumerate(SAID, 7)}
    coco = {
        "images": [{"id": number, "file_name": f"COCO_{name}"} for name, number in numbers.items()],
        "annotations": [
            {"image_id": numbers[n], "caption": text} for n, texts in WRITTEN.items() for text in texts
        ],
    }
    Path("coco.json").write_text(json.dumps(coco))
    results = [{"image_id": numbers[name], "caption": text} for name, text in SAID.items()]
    Path("results.json").write_text(json.dumps(results))
    Path("pictures").mkdir()
    for name, texts in WRITTEN.items():
        Image.new("RGB", (8, 8)).save(f"pictures/{name}")
        Path("pictures", name).with_suffix(".txt").write_text("\n".join(texts))
    Path("run").mkdir()
    Path("run/predictions.jsonl").write_text(Path("both.jsonl").read_text())
    return tmp_path


@pytest.mark.parametrize(
    ("predictions", "references"),
    [
        ("p.jsonl", "r.jsonl"),
        ("both.jsonl", None),
        ("run", None),
        ("p.jsonl", "pictures"),
        ("results.json", "coco.json"),
        ("p.jsonl", "both.jsonl"),
    ],
)
def test_every_form_gives_the_same_scores(predictions, references, files):
    result = score(predictions, references).result
    expected = metrics.score(SAID, WRITTEN)
    assert result.scores.values == pytest.approx(dict(expected.values))
    assert result.scores.images == 4
    assert not result.skipped


def test_json_holds_intervals_controls_and_the_seed(files, capsys):
    assert (
        main(["score", "--predictions", "both.jsonl", "--json", "--seed", "3", "--metrics", "wer,distinct"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    low, high = found["intervals"]["wer"]
    assert low <= found["metrics"]["wer"] <= high
    assert low < high
    assert found["intervals"].keys() == {"wer"}
    assert found["resampling"]["seed"] == 3
    assert found["resampling"]["level"] == 0.95
    assert found["controls"].keys() == {"constant", "shuffled"}
    assert found["human"]["images"] == 3
    assert found["human"]["metrics"].keys() == found["human"]["model"].keys() == {"wer", "distinct"}


def test_what_people_read(files, capsys):
    assert main(["score", "--predictions", "both.jsonl"]) == 0
    said = capsys.readouterr().out
    assert "95% interval" in said
    assert "seed 0" in said
    assert "One person against the others, on 3 pictures" in said


def test_the_report_holds_the_captions_and_their_pictures(files, capsys):
    typed = ["score", "--predictions", "p.jsonl", "--references", "pictures", "--report", "out.html"]
    assert main([*typed, "--language", "es"]) == 0
    page = Path("out.html").read_text(encoding="utf-8")
    assert '<html lang="es"' in page
    assert 'alt="two red birds fly"' in page
    assert "intervalo del 95" in page


def test_metrics_tokenizer_and_weights_are_those_asked_for(files):
    assert list(score("both.jsonl", metric_names=["cider_d", "wer"]).result.scores.values) == [
        "cider_d",
        "wer",
    ]
    by_language = score("both.jsonl", language="es").result.scores.normalization["bleu_1"]
    by_name = score("both.jsonl", tokenizer="unicode").result.scores.normalization["bleu_1"]
    assert by_language == by_name != score("both.jsonl").result.scores.normalization["bleu_1"]
    other = score("both.jsonl", df="pictures").result.scores
    assert "'pictures'" in other.normalization["cider_d"]
    from leyenda.metrics import document_frequencies as df

    df.save(df.build([["a dog", "a cat"], ["a cow"], ["a bench"]]), "weights.npz")
    saved = score("both.jsonl", df="weights.npz").result.scores
    assert saved.values["cider_d"] != other.values["cider_d"]
    assert saved.values["wer"] == other.values["wer"]


def test_judges_say_what_they_need_before_anything_is_loaded(files, capsys):
    shutil.rmtree("pictures")  # which would be found beside the references
    assert main(["score", "--predictions", "both.jsonl", "--metrics", "wer,clip_score,perplexity"]) == 2
    said = capsys.readouterr().err
    assert "--clip-model" in said
    assert "--language-model" in said
    assert "the pictures" in said


def test_a_judge_stands_beside_the_metrics_with_its_interval(files, monkeypatch, capsys):
    """The judge is a stand-in that likes long captions; the real ones have their own tests."""
    import numpy as np

    from leyenda.judges import JUDGES
    from leyenda.metrics.corpus import Measurement

    def likes_long(corpus, equipment):
        assert equipment.device == "cpu"
        return Measurement.mean(np.array([float(len(text)) for text in corpus.hypotheses]), "as it is")

    stand_in = dataclasses.replace(
        JUDGES["meteor"], name="likes_long", needs=(), measure=likes_long, check=None
    )
    monkeypatch.setitem(JUDGES, "likes_long", stand_in)
    typed = ["--metrics", "likes_long,wer", "--device", "cpu"]
    assert main(["score", "--predictions", "both.jsonl", "--json", *typed]) == 0
    found = json.loads(capsys.readouterr().out)
    mean = sum(map(len, SAID.values())) / 4
    assert list(found["metrics"]) == ["likes_long", "wer"]
    assert found["metrics"]["likes_long"] == pytest.approx(mean)
    assert found["intervals"].keys() == {"likes_long", "wer"}
    assert "likes_long" not in found["controls"]["constant"]
    assert main(["score", "--predictions", "both.jsonl", *typed]) == 0
    lines(
        "long.jsonl",
        [{"image": n, "caption": text + " and more", "references": WRITTEN[n]} for n, text in SAID.items()],
    )
    capsys.readouterr()
    assert main(["compare", "both.jsonl", "long.jsonl", "--json", *typed]) == 0
    compared = json.loads(capsys.readouterr().out)["metrics"]["likes_long"]
    assert (compared["difference"], compared["wins"]) == (pytest.approx(9), 4)


def test_a_split_of_the_references(files):
    rows = [
        {"image": n, "caption": t, "split": "test" if n < "c" else "train"}
        for n, ts in WRITTEN.items()
        for t in ts
    ]
    lines("table.jsonl", rows)
    lines("half.jsonl", [{"image": name, "caption": SAID[name]} for name in ("a.jpg", "b.jpg")])
    result = score("half.jsonl", "table.jsonl", split="test").result
    assert result.scores.images == 2
    assert result.constant_caption in WRITTEN["c.jpg"] + WRITTEN["d.jpg"], (
        "the constant is chosen from training"
    )


def test_only_common_leaves_out_and_says_so(files, capsys):
    lines("few.jsonl", [{"image": "a.jpg", "caption": "a dog"}, {"image": "z.jpg", "caption": "a zebra"}])
    assert main(["score", "--predictions", "few.jsonl", "--references", "r.jsonl"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "3 pictures of the references without a caption: 'b.jpg', 'c.jpg', 'd.jpg'" in said.err
    assert "1 picture without references: 'z.jpg'" in said.err
    assert "--only-common" in said.err
    typed = ["score", "--predictions", "few.jsonl", "--references", "r.jsonl", "--only-common"]
    assert main(typed) == 0
    said = capsys.readouterr().out
    assert "1 pictures" not in said
    assert "Left out: 3 pictures without a caption: 'b.jpg', 'c.jpg', 'd.jpg'." in said
    assert "Left out: 1 picture without references: 'z.jpg'." in said
    assert main([*typed, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["skipped"]) == (1, 4)
    assert found["without_caption"] == ["b.jpg", "c.jpg", "d.jpg"]
    assert found["intervals"] == {}


def test_pictures_that_could_not_be_captioned_are_not_forgotten(files, capsys):
    rows = [{"image": n, "caption": SAID[n], "references": WRITTEN[n]} for n in ("a.jpg", "b.jpg")]
    lines(
        "failed.jsonl",
        [*rows, {"image": "c.jpg", "error": {"code": "truncated", "message": "It ends early."}}],
    )
    assert main(["score", "--predictions", "failed.jsonl"]) == 2
    assert "an error in place of a caption for 1 picture: 'c.jpg'" in capsys.readouterr().err
    scored = score("failed.jsonl", only_common=True)
    assert scored.result.skipped["c.jpg"].code == "truncated"
    assert "Left out: 1 picture with an error in place of a caption: 'c.jpg'." in scored.notes()


def test_names_match_by_file_and_by_stem_only_where_that_is_clear(files, capsys):
    def names(captions, references, **how):
        found = match(captions, [Reference(name, ("x",)) for name in references], **how)
        return {name: each.id for name, each in found.pairs.items()}, dict(found.by)

    assert names(["a.jpg"], ["a.jpg"]) == ({"a.jpg": "a.jpg"}, {})
    assert names(["in/a.jpg"], ["out/a.jpg"]) == ({"in/a.jpg": "out/a.jpg"}, {"file name": 1})
    assert names(["in/a.jpg"], ["a"]) == ({"in/a.jpg": "a"}, {"name without ending": 1})
    # x/a.jpg has its own partner; y/a.jpg must not take one by file name, for two captions are called so.
    pairs, by = names(["x/a.jpg", "y/a.jpg"], ["x/a.jpg", "z/a.jpg"], only_common=True)
    assert (pairs, by) == ({"x/a.jpg": "x/a.jpg"}, {})
    pairs, by = names(["a.jpg", "b.jpg"], ["a.png", "a.gif", "b.jpg"], only_common=True)
    assert (pairs, by) == ({"b.jpg": "b.jpg"}, {})
    lines("far.jsonl", [{"image": f"/else/where/{name}", "caption": text} for name, text in SAID.items()])
    assert main(["score", "--predictions", "far.jsonl", "--references", "r.jsonl"]) == 0
    assert "4 pictures matched by file name" in capsys.readouterr().out


def test_empty_references_are_nobodys(files):
    lines(
        "blank.jsonl",
        [{"image": "a.jpg", "references": ["", "a dog", " "]}, {"image": "b.jpg", "references": [""]}],
    )
    assert [(each.id, each.captions) for each in read_references("blank.jsonl").pictures] == [
        ("a.jpg", ("a dog",))
    ]


def test_an_empty_caption_is_a_caption(files):
    lines("empty.jsonl", [{"image": name, "caption": ""} for name in SAID])
    assert read_predictions("empty.jsonl").captions["a.jpg"].caption == ""
    assert score("empty.jsonl", "r.jsonl").result.scores.values["wer"] == 1.0


def test_neither_verb_loads_a_model(files):
    code = (
        "import sys\nfrom leyenda.cli import main\n"
        "assert main(['score', '--predictions', 'both.jsonl', '--report', 'out.html']) == 0\n"
        "assert main(['compare', 'both.jsonl', 'run', '--references', 'pictures']) == 0\n"
        "print('loaded:', {'torch', 'transformers', 'datasets', 'matplotlib'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded: set()\n")


GOOD = '{"image": "a.jpg", "caption": "a dog"}\n'
MESSES = [
    # What is typed after `leyenda`, what is in bad.jsonl or bad.json, the cause, the fix.
    ("score --predictions p.json", None, "There is no file 'p.json'", "Did you mean 'p.jsonl'"),
    ("score --predictions nowhere/p.jsonl", None, "There is no file 'nowhere/p.jsonl'", "Check the name"),
    ("score --predictions pictures", None, "'pictures' holds no predictions.jsonl", "leyenda evaluate"),
    ("score", None, "Missing option '--predictions'", "leyenda score --help"),
    ("score --predictions bad.jsonl", "", "bad.jsonl is empty", "Each line must be like"),
    ("score --predictions bad.jsonl", GOOD + "a dog\n", "bad.jsonl:2: not JSON", ""),
    ("score --predictions bad.jsonl", GOOD + "[1]\n", "bad.jsonl:2: not a JSON object", "Write {"),
    (
        "score --predictions bad.jsonl",
        GOOD + '{"caption": "x"}\n',
        "bad.jsonl:2 names no picture",
        "Each entry must",
    ),
    (
        "score --predictions bad.jsonl",
        GOOD + '{"image": true, "caption": "x"}\n',
        "bad.jsonl:2: the picture is True",
        "",
    ),
    (
        "score --predictions bad.jsonl",
        GOOD + GOOD,
        "bad.jsonl:2: 'a.jpg' stands there twice (first: bad.jsonl:1)",
        "Keep one",
    ),
    (
        "score --predictions bad.jsonl",
        '{"image": "a.jpg", "caption": 7}\n',
        "bad.jsonl:1: the caption of 'a.jpg' is not text but 7",
        "Write captions as text",
    ),
    (
        "score --predictions bad.jsonl",
        '{"image": "a.jpg", "captoin": "x"}\n',
        "bad.jsonl:1: 'a.jpg' has no 'caption'",
        "Did you mean 'captoin'",
    ),
    (
        "score --predictions bad.jsonl",
        '{"image": "a.jpg", "caption": "x", "confidence": "high"}\n',
        "bad.jsonl:1: the confidence",
        "from 0 to 1",
    ),
    (
        "score --predictions bad.jsonl",
        '{"image": "a.jpg", "caption": "x", "references": "y"}\n',
        "bad.jsonl:1: the references are",
        "Write a list",
    ),
    (
        "score --predictions bad.jsonl",
        '{"image": "a.jpg", "caption": "x", "references": [7]}\n',
        "bad.jsonl:1: one of the references",
        "as text",
    ),
    (
        "score --predictions bad.jsonl",
        '{"image": "a.jpg", "error": {"code": "url"}}\n',
        "bad.jsonl holds no captions, only errors",
        "again",
    ),
    ("score --predictions bad.jsonl", GOOD, "bad.jsonl holds no references", "--references SOURCE"),
    (
        "score --predictions bad.json --references r.jsonl",
        '[{"image_id": 1, "caption": "x"}, {"image_id": 1, "caption": "y"}]',
        "bad.json, entry 2: '1' stands there twice",
        "Keep one",
    ),
    ("score --predictions bad.json", '{"images": []}', "bad.json is not a list of objects", ""),
    (
        "score --predictions p.jsonl --references nowhere",
        None,
        "There is no file or folder 'nowhere'",
        "Check the name",
    ),
    (
        "score --predictions p.jsonl --references r.jsn",
        None,
        "There is no file or folder 'r.jsn'",
        "Did you mean 'r.jsonl'",
    ),
    (
        "score --predictions p.jsonl --references bad.jsonl",
        '{"image": "a.jpg", "references": ["x"]}\n{"image": "b.jpg"}\n',
        "bad.jsonl:2: 'b.jpg' has no 'references'",
        "Write",
    ),
    (
        "score --predictions p.jsonl --references bad.jsonl",
        '{"image": "a.jpg", "references": ["x"]}\n' * 2,
        "bad.jsonl:2: 'a.jpg' stands there twice",
        "in one list",
    ),
    (
        "score --predictions p.jsonl --references bad.jsonl",
        '{"image": "a.jpg", "references": []}\n',
        "bad.jsonl holds no references",
        "",
    ),
    (
        "score --predictions p.jsonl --references bad.json",
        '{"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": []}]}',
        "entry 1 of 'annotations' has no 'caption'",
        "captions",
    ),
    (
        "score --predictions p.jsonl --references bad.jsonl",
        '{"image": "q.jpg", "references": ["x"]}\n',
        "names are like 'a.jpg', those of the references like 'q.jpg'",
        "Use the same names",
    ),
    ("score --predictions both.jsonl --metrics wr", None, "There is no metric 'wr'", "Did you mean 'wer'"),
    ("score --predictions both.jsonl --metrics ,", None, "--metrics names no metric", "They are: wer"),
    ("score --predictions both.jsonl --language fr", None, "'fr'", "--help"),
    ("score --predictions both.jsonl --tokenizer word", None, "'word'", "--help"),
    ("score --predictions both.jsonl --df weights.pkl", None, "weights.pkl", "captions"),
    ("score --predictions both.jsonl --df nowhere", None, "'nowhere'", "Check the name"),
    (
        "score --predictions both.jsonl --split test",
        None,
        "--split says how references are read, but none are named",
        "Add --references",
    ),
    (
        "score --predictions both.jsonl --image-column x",
        None,
        "--image-column says how references are read",
        "Add --references",
    ),
    (
        "score --predictions p.jsonl --references r.jsonl --image-root nowhere",
        None,
        "There is no folder 'nowhere'",
        "",
    ),
    (
        "score --predictions p.jsonl --references pictures --split tset",
        None,
        "no split 'tset'",
        "Did you mean 'test'",
    ),
    ("score --predictions both.jsonl --seed -1", None, "--seed", "0"),
    ("score --predictions both.jsonl --report nowhere/out.html", None, "nowhere", "mkdir"),
    ("compare both.jsonl", None, "Missing argument 'B'", "leyenda compare --help"),
    ("compare both.jsonl both.json", None, "There is no file 'both.json'", "Did you mean 'both.jsonl'"),
    ("compare both.jsonl p.jsonl", None, "p.jsonl holds no references", "--references SOURCE"),
    (
        "compare both.jsonl bad.jsonl",
        '{"image": "a.jpg", "caption": "x", "references": ["y"]}\n',
        "bad.jsonl has 3 pictures of the references without a caption",
        "--only-common",
    ),
    (
        "compare bad.jsonl both.jsonl --only-common",
        '{"image": "a.jpg", "caption": "x", "references": ["y"]}\n',
        "different references for 'a.jpg'",
        "--references SOURCE",
    ),
]


@pytest.mark.parametrize(("typed", "content", "cause", "fix"), MESSES)
def test_a_mess_is_one_line_that_says_what_to_do(typed, content, cause, fix, files, capsys):
    if content is not None:
        Path("bad.json" if "bad.json " in typed + " " else "bad.jsonl").write_text(content)
    assert main(shlex.split(typed)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert cause in said.err
    assert fix in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
