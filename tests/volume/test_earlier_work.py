"""What people and earlier runs wrote into a file of captions outlasts every later run, and every undoing of one."""

from __future__ import annotations

import csv
import json
import os

import pyarrow.parquet as pq
import pytest
from tests.volume.conftest import draw, lines_of, stop_at_batch

OWN = "HUMAN WORDS"


def said(path):
    """Image -> caption, of a file in any format; reasons have None."""
    if path.suffix == ".jsonl":
        rows = lines_of(path)
    elif path.suffix == ".csv":
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = pq.read_table(path).to_pylist()
    assert len({row["image"] for row in rows}) == len(rows)
    return {row["image"]: row.get("caption") or None for row in rows}


def write_own(path, only=None):
    """A person writes their own caption over all of them, or over one."""
    if path.suffix == ".jsonl":
        lines = lines_of(path)
        for line in lines:
            line["caption"] = OWN if only in (None, line["image"]) else line["caption"]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    elif path.suffix == ".csv":
        text = path.read_text().splitlines(keepends=True)
        rows = [f"{line.split(',')[0]},{OWN},,,\n" for line in text[1:]]
        path.write_text(text[0] + "".join(rows))
    else:
        table = pq.read_table(path)
        at = table.schema.get_field_index("caption")
        pq.write_table(table.set_column(at, table.schema.field(at), [[OWN] * len(table)]), path)


@pytest.mark.parametrize("way", ["append", "prepend", "overwrite"])
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_person_s_caption_stays_where_there_is_no_new_one(caption, photos, here, ending, way):
    output = here / f"out.{ending}"
    assert caption("photos", "-o", output.name)[0] == 0
    write_own(output)
    (photos / "b.jpg").write_bytes(b"")
    code, _, err = caption("photos", "-o", output.name, "--existing", way, "--min-confidence", "0.99")
    assert code == 3
    assert "'photos/b.jpg' holds no bytes at all. The caption that was there stays." in err
    assert "For review, because they are not sure enough: 5 in out.review.jsonl." in err
    assert set(said(output).values()) == {OWN}
    assert len(lines_of(here / "out.review.jsonl")) == 5
    assert all(line["caption"] and line["confidence"] for line in lines_of(here / "out.review.jsonl"))
    code, _, err = caption("photos", "-o", output.name, "--existing", way, "--require", "tree")
    assert code == 3
    assert (
        "lacks 'tree'. More beams give more captions to choose from. The caption that was there stays." in err
    )
    assert set(said(output).values()) == {OWN}


def test_a_caption_that_stays_is_not_taken_for_the_model_s(caption, photos, here, monkeypatch):
    """A run that goes on remembers what the model said of a picture; a person's words are not that."""
    draw(photos / "aa.png", 0)  # the same bytes as a.png
    assert caption("photos", "-o", "all.jsonl")[0] == 0
    limit = lines_of(here / "all.jsonl")[0]["confidence"] + 0.0001
    words = ["photos", "-o", "out.jsonl", "--existing", "append", "--min-confidence", limit]
    assert caption("photos", "-o", "out.jsonl")[0] == 0
    write_own(here / "out.jsonl", only="photos/a.png")
    os.link(here / "out.jsonl", here / "copy.jsonl")
    assert caption(*words)[0] == 0
    expected, listed = (here / "out.jsonl").read_bytes(), (here / "out.review.jsonl").read_bytes()
    os.replace(here / "copy.jsonl", here / "out.jsonl")
    for name in ("out.review.jsonl", "out.before-1.jsonl", "out.before-1.jsonl.written"):
        (here / name).unlink(missing_ok=True)
    stop_at_batch(monkeypatch, 2)
    assert caption(*words)[0] == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert caption(*words)[0] == 0
    assert (here / "out.jsonl").read_bytes() == expected
    assert (here / "out.review.jsonl").read_bytes() == listed


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_undoing_a_file_keeps_what_was_done_since(caption, photos, here, ending):
    output = here / f"out.{ending}"
    assert caption("photos", "-o", output.name)[0] == 0
    first = said(output)
    assert caption("photos", "-o", output.name, "--existing", "overwrite", "--prefix", "after:")[0] == 0
    draw(photos / "new.png", 88)
    assert caption("photos", "-o", output.name)[0] == 0
    assert caption("--undo", output.name) == (0, "", "Taken back: 6 of 6.\n")
    after = said(output)
    assert after.pop("photos/new.png")
    assert after == first
    assert said(here / f"out.before-1.{ending}") == first
    code, _, err = caption("--undo", output.name)
    assert code == 2
    assert f"What runs replaced in 'out.{ending}' is taken back already." in err
    assert len(said(output)) == 7


def test_undoing_a_file_leaves_lines_that_somebody_changed_since(caption, photos, here):
    output = here / "out.jsonl"
    assert caption("photos", "-o", "out.jsonl")[0] == 0
    first = said(output)
    assert caption("photos", "-o", "out.jsonl", "--existing", "overwrite", "--prefix", "after:")[0] == 0
    write_own(output, only="photos/c.png")
    code, _, err = caption("--undo", "out.jsonl")
    assert code == 3
    assert err.splitlines() == [
        "'photos/c.png' in 'out.jsonl' was changed since; it is left as it is. What it was is in 'out.before-1.jsonl'.",
        "Taken back: 5 of 6.",
    ]
    assert said(output) == first | {"photos/c.png": OWN}
    assert said(here / "out.before-1.jsonl") == first


def test_undoing_a_file_one_run_at_a_time(caption, photos, here):
    output, states = here / "out.jsonl", []
    for prefix in ("one:", "two:", "three:"):
        assert caption("photos", "-o", "out.jsonl", "--existing", "overwrite", "--prefix", prefix)[0] == 0
        states.append(output.read_bytes())
    for state in reversed(states[:-1]):
        assert caption("--undo", "out.jsonl")[0] == 0
        assert output.read_bytes() == state
    assert sorted(os.listdir(here)) == ["out.jsonl", "photos"]
    code, _, err = caption("--undo", "out.jsonl")
    assert code == 2
    assert "there is no out.before-1.jsonl beside it" in err


@pytest.mark.parametrize("at", ["put_in_place", "sync_folder"])
def test_undoing_a_file_that_is_stopped_goes_on(caption, photos, here, monkeypatch, at):
    from leyenda.volume.outputs import file_undo

    assert caption("photos", "-o", "out.jsonl")[0] == 0
    first = (here / "out.jsonl").read_bytes()
    assert caption("photos", "-o", "out.jsonl", "--existing", "overwrite", "--prefix", "two:")[0] == 0
    done = getattr(file_undo, at)

    def stopped(path):
        done(path)
        raise KeyboardInterrupt

    monkeypatch.setattr(file_undo, at, stopped)
    assert caption("--undo", "out.jsonl")[0] == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    if at == "put_in_place":
        assert caption("--undo", "out.jsonl")[0] == 0
    assert (here / "out.jsonl").read_bytes() == first
    assert sorted(os.listdir(here)) == ["out.jsonl", "photos"]


def test_what_overwrite_replaced_comes_back(caption, photos, here):
    (here / "out.jsonl").write_text("a person's work")
    assert caption("photos", "-o", "out.jsonl", "--overwrite")[0] == 0
    assert (here / "out.before-1.jsonl").read_text() == "a person's work"
    assert caption("photos/a.png", "-o", "out.jsonl", "--overwrite", "--prefix", "two:")[0] == 0
    assert len(said(here / "out.before-2.jsonl")) == 6
    assert caption("photos/a.png", "-o", "out.jsonl", "--overwrite", "--prefix", "two:")[0] == 0
    assert not (here / "out.before-3.jsonl").exists()  # the same again
    assert caption("photos", "-o", "out.jsonl")[0] == 0  # later work
    assert caption("--undo", "out.jsonl")[0] == 0
    assert len(said(here / "out.jsonl")) == 6
    assert not any(text.startswith("two:") for text in said(here / "out.jsonl").values())
    write_own(here / "out.jsonl", only="photos/c.png")
    kept = said(here / "out.jsonl")
    code, _, err = caption("--undo", "out.jsonl")
    assert code == 3  # the file that was there first had no captions, so that these cannot stay in it
    assert (
        "'out.jsonl' was changed since; it is left as it is. What it was is in 'out.before-1.jsonl'." in err
    )
    assert said(here / "out.jsonl") == kept


@pytest.mark.parametrize("way", ["append", "prepend"])
def test_overwrite_and_append_contradict_each_other(caption, photos, here, way):
    assert caption("photos", "-o", "out.jsonl")[0] == 0
    before = (here / "out.jsonl").read_bytes()
    code, _, err = caption("photos", "-o", "out.jsonl", "--overwrite", "--existing", way)
    assert code == 2
    assert "--overwrite begins anew, so that --existing" in err
    assert (here / "out.jsonl").read_bytes() == before


@pytest.mark.parametrize("extra", [[], ["--overwrite"]])
def test_captions_are_never_written_over_the_inputs(caption, photos, here, extra):
    (here / "odd").write_bytes((photos / "a.png").read_bytes())
    (here / "table.csv").write_text("image\nphotos/a.png\n")
    (here / "own.csv").write_text("image,caption,confidence,error,message\nphotos/a.png,mine,,,\n")
    (here / "names.jsonl").write_text("photos/a.png\n")
    for words, output in (
        (["table.csv"], "table.csv"),
        (["own.csv"], "./own.csv"),
        (["--list", "names.jsonl"], "names.jsonl"),
        (["photos"], "photos/a.png"),
        (["odd"], "odd"),
    ):
        before = (here / output).read_bytes()
        code, _, err = caption(
            *words, "--to", "csv" if output.endswith("csv") else "jsonl", "-o", output, *extra
        )
        assert code == 2, output
        assert "is one of the inputs" in err or "captions cannot be written over it" in err
        assert (here / output).read_bytes() == before


def test_a_review_list_keeps_earlier_cases(caption, photos, here):
    draw(here / "more" / "x.png", 40)
    for words in (("-o", "out.jsonl"), ("--to", "sidecar", "--record", "out.jsonl.record")):
        review = here / ("out.review.jsonl" if words[0] == "-o" else "out.jsonl.review.jsonl")
        assert caption("photos", *words, "--min-confidence", "0.99")[0] == 0
        first = lines_of(review)
        assert caption("more", *words, "--min-confidence", "0.99")[0] == 0
        listed = {line["image"]: line for line in lines_of(review)}
        assert sorted(listed) == sorted([*(line["image"] for line in first), "more/x.png"])
        assert all(listed[line["image"]] == line for line in first)
        assert caption("more", *words)[0] == 0
        assert caption("photos", "more", *words, "--min-confidence", "0.99")[0] == 0
        assert sorted(line["image"] for line in lines_of(review)) == sorted(line["image"] for line in first)


@pytest.mark.parametrize("name", ["cr\rx.jpg", "nl\nx.jpg", 'quo"te, x.jpg'])
def test_a_csv_quotes_every_line_end_in_a_name(caption, photos, here, name):
    draw(photos / name, 50)
    assert caption("photos", "-o", "out.csv")[0] == 0
    before = (here / "out.csv").read_bytes()
    assert b"\r\n" not in before
    assert f"photos/{name}" in said(here / "out.csv")
    assert len(said(here / "out.csv")) == 7
    code, _, err = caption("photos", "-o", "out.csv")
    assert code == 0
    assert "7 had a caption" in err
    assert (here / "out.csv").read_bytes() == before


@pytest.mark.parametrize("words", [["--suffix", " END"], ["--trigger", "sks", "--prefix", "a photo of"]])
@pytest.mark.parametrize("way", ["append", "prepend"])
@pytest.mark.parametrize("to", ["file", "sidecar"])
def test_nothing_is_joined_twice(caption, photos, here, to, way, words):
    output = ["-o", "out.jsonl"] if to == "file" else ["--to", "sidecar"]

    def now():
        return (
            said(here / "out.jsonl")["photos/b.jpg"]
            if to == "file"
            else (photos / "b.txt").read_text().strip()
        )

    plain = caption("photos/b.jpg")[1].strip()
    (here / "out.jsonl").write_text(json.dumps({"image": "photos/b.jpg", "caption": OWN}) + "\n")
    (photos / "b.txt").write_text(OWN)
    both = f"{OWN} {plain}" if way == "append" else f"{plain} {OWN}"
    expected = f"{both} END" if "--suffix" in words else f"sks, a photo of {both}"
    command = ["photos", *output, "--existing", way, *words]
    assert caption(*command)[0] == 0
    assert now() == expected
    code, _, err = caption(*command)
    assert code == 0
    assert "6 had a caption" in err
    assert now() == expected
    if to == "sidecar":
        (photos / "b.txt").write_text(OWN)
        assert caption("photos", "photos/*", *output, "--existing", way, *words)[0] == 0
        assert now() == expected


def test_fields_that_a_user_added_stay(caption, photos, here):
    assert caption("photos", "-o", "out.jsonl")[0] == 0
    lines = lines_of(here / "out.jsonl")
    lines[0] |= {"tags": ["dog"], "source": {"by": "Ana"}, "file": 5, "was": "x", "others": None}
    (here / "out.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw(photos / "new.png", 51)
    assert caption("photos", "-o", "out.jsonl")[0] == 0
    assert lines_of(here / "out.jsonl")[0] == lines[0]
    assert not (here / "out.before-1.jsonl").exists()
    assert caption("photos", "-o", "out.jsonl", "--existing", "overwrite", "--prefix", "new:")[0] == 0
    written = lines_of(here / "out.jsonl")[0]
    assert written["caption"].startswith("new:")
    assert {**written, "caption": 0, "confidence": 0} == {**lines[0], "caption": 0, "confidence": 0}


def test_a_stopped_run_does_not_lose_its_inputs_from_sight(caption, photos, here, monkeypatch):
    draw(here / "other" / "x.png", 52)
    (here / "a.txt").write_text("".join(f"{path}\n" for path in sorted(photos.rglob("*.*"))))
    (here / "b.txt").write_text("other/x.png\n")
    stop_at_batch(monkeypatch, 2)
    assert caption("--list", "a.txt", "-o", "out.jsonl")[0] == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    journal = (here / "out.jsonl.partial").read_bytes()
    code, _, err = caption("--list", "b.txt", "-o", "out.jsonl")
    assert code == 2
    assert "'out.jsonl.partial' is of a run over other inputs: 'a.txt' is not named now." in err
    assert "name its inputs here as well to do both" in err
    assert (here / "out.jsonl.partial").read_bytes() == journal
    assert caption("--list", "./b.txt", "--list", here / "a.txt", "-o", "out.jsonl")[0] == 0
    assert len(said(here / "out.jsonl")) == 7


def test_a_stopped_run_goes_on_with_more_pictures(caption, photos, here, monkeypatch):
    pictures = sorted(str(path.relative_to(here)) for path in photos.glob("*.*"))
    for number, before in enumerate((["photos"], pictures)):  # the latter is what a shell makes of photos/*
        stop_at_batch(monkeypatch, 2)
        assert caption(*before, "-o", f"{number}.jsonl")[0] == 130
        monkeypatch.undo()
        monkeypatch.chdir(here)
        draw(photos / f"added {number}.png", 60 + number)
        (photos / "f.png").unlink(missing_ok=True)
        now = before if number == 0 else sorted(str(path.relative_to(here)) for path in photos.glob("*.*"))
        assert caption(*now, "-o", f"{number}.jsonl")[0] == 0
        assert f"photos/added {number}.png" in said(here / f"{number}.jsonl")


def test_a_stopped_run_goes_on_when_all_of_it_was_moved(caption, here, monkeypatch):
    for number in range(5):
        draw(here / "project" / "photos" / f"{number}.png", number)
    (here / "project" / "sub").mkdir()
    for folder, photos, output in ((".", "photos", "out.jsonl"), ("sub", "../photos", "../below.csv")):
        monkeypatch.chdir(here / "project" / folder)
        stop_at_batch(monkeypatch, 2)
        assert caption(photos, "-o", output)[0] == 130
        monkeypatch.undo()
        monkeypatch.chdir(here)
        (here / "project").rename(here / "moved")
        monkeypatch.chdir(here / "moved" / folder)
        code, _, err = caption(photos, "-o", output)
        assert (code, err) == (0, f"Wrote {output} (5 pictures: 5 captioned).\n")
        assert len(said(here / "moved" / folder / output)) == 5
        (here / "moved").rename(here / "project")


@pytest.mark.parametrize("to", [["-o", "out.jsonl"], ["--to", "webdataset", "-o", "out"]])
def test_a_stopped_run_is_not_gone_on_with_from_another_folder(caption, photos, here, monkeypatch, to):
    stop_at_batch(monkeypatch, 2)
    assert caption("photos", *to)[0] == 130
    monkeypatch.undo()
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    code, _, err = caption("../photos", *to[:-1], f"../{to[-1]}")
    assert code == 2
    assert (
        f"was begun in '{here}', and its pictures are named from there. Go on with it there: cd {here}."
        in err
    )
    monkeypatch.chdir(here)
    assert caption(here / "photos", *to)[0] == 0
    output = here / (to[-1] if to[0] == "-o" else "out/index.jsonl")
    assert len(said(output)) == 6


def test_a_run_with_absolute_names_goes_on_from_any_folder(caption, photos, here, monkeypatch):
    stop_at_batch(monkeypatch, 2)
    assert caption(photos, "-o", here / "out.jsonl")[0] == 130
    monkeypatch.undo()
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert caption(photos, "-o", here / "out.jsonl")[0] == 0
    assert len(said(here / "out.jsonl")) == 6


def test_a_stopped_run_that_begins_anew_goes_on_with_more_pictures(caption, photos, here, monkeypatch):
    pictures = [f"photos/{name}" for name in ("a.png", "b.jpg", "c.png", "f.png")]
    assert caption(*pictures, "-o", "out.jsonl")[0] == 0
    stop_at_batch(monkeypatch, 2)
    assert caption(*pictures, "-o", "out.jsonl", "--overwrite")[0] == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    draw(photos / "g.png", 70)
    _, out, _ = caption(*pictures, "photos/g.png", "-o", "out.jsonl", "--overwrite", "--json")
    assert json.loads(out.splitlines()[-1])["done_before"] == 2
    stop_at_batch(monkeypatch, 2)
    assert caption(*pictures, "-o", "out.jsonl", "--overwrite")[0] == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    _, out, _ = caption("photos/g.png", "-o", "out.jsonl", "--overwrite", "--json")
    assert json.loads(out.splitlines()[-1])["done_before"] == 0


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_no_temporary_file_is_left_when_the_model_is_not_there(caption, photos, here, ending):
    assert caption("photos", "-o", f"out.{ending}")[0] == 0
    assert caption("photos", "-o", f"out.{ending}", "--model", "/nope")[0] == 2
    assert sorted(os.listdir(here)) == [f"out.{ending}", "photos"]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_one_picture_under_several_names(caption, photos, here, ending):
    assert caption("photos", "-o", f"out.{ending}")[0] == 0
    before = (here / f"out.{ending}").read_bytes()
    for words in (["./photos"], [photos], ["photos//deep", "photos/../photos/a.png"]):
        code, _, err = caption(*words, "-o", f"out.{ending}")
        assert code == 0
        assert " 0 captioned" in err
        assert (here / f"out.{ending}").read_bytes() == before
    draw(photos / "new.png", 70)
    assert caption("./photos", "-o", f"out.{ending}", "--existing", "overwrite", "--prefix", "new:")[0] == 0
    names = [
        *(f"photos/{name}" for name in ("a.png", "b.jpg", "c.png", "deep/d.png", "deep/e.webp", "f.png"))
    ]
    assert list(said(here / f"out.{ending}")) == [*names, "./photos/new.png"]


def test_a_byte_order_mark(caption, photos, here):
    assert caption("photos", "-o", "out.csv")[0] == 0
    rows = said(here / "out.csv")
    (here / "out.csv").write_bytes(b"\xef\xbb\xbf" + (here / "out.csv").read_bytes().replace(b"\n", b"\r\n"))
    draw(photos / "new.png", 71)
    assert caption("photos", "-o", "out.csv")[0] == 0
    assert len(said(here / "out.csv")) == 7
    assert said(here / "out.csv").items() >= rows.items()
    (photos / "b.txt").write_bytes("\ufeffmein Text".encode())
    new = caption("photos/b.jpg")[1].strip()
    assert caption("photos", "--to", "sidecar", "--existing", "prepend")[0] == 0
    assert (photos / "b.txt").read_text(encoding="utf-8") == f"{new} mein Text\n"
    assert caption("--undo", "photos")[0] == 0
    assert (photos / "b.txt").read_bytes() == "\ufeffmein Text".encode()


def test_what_a_person_writes_into_the_review_list_stays(caption, photos, here):
    words = ["photos", "-o", "out.jsonl", "--min-confidence", "0.99"]
    assert caption(*words)[0] == 0
    review = here / "out.review.jsonl"
    said_at_first = review.read_bytes()
    first, *rest = lines_of(review)
    mended = first | {"caption": OWN, "seen_by": "Ana"}
    review.write_text("".join(json.dumps(line) + "\n" for line in (mended, *rest)))
    expected = [first | {"seen_by": "Ana", "was": OWN}, *rest]
    for _ in range(2):  # each time the model is asked again
        assert caption(*words)[0] == 0
        assert lines_of(review) == expected
    assert caption(*words, "--overwrite")[0] == 0
    assert review.read_bytes() == said_at_first


def test_an_output_that_is_a_link_stays_one(caption, photos, here):
    (here / "store").mkdir()
    (here / "out.jsonl").symlink_to("store/s.jsonl")
    (here / "store" / "s.jsonl").write_text(
        '{"image": "photos/a.png", "caption": "HUMAN WORDS", "confidence": null}\n'
    )
    assert caption("photos", "-o", "out.jsonl", "--existing", "overwrite")[0] == 0
    assert (here / "out.jsonl").is_symlink()
    assert OWN not in said(here / "store" / "s.jsonl").values()
    assert caption("--undo", "out.jsonl")[0] == 0
    assert (here / "out.jsonl").is_symlink()
    assert said(here / "store" / "s.jsonl")["photos/a.png"] == OWN
