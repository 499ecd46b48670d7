"""What an output may be written over, and what it takes away."""

from __future__ import annotations

import io
import tarfile

import pytest
from tests.volume.conftest import draw, lines_of
from tests.volume.kill_many import everything_in

import leyenda
from leyenda.models import CaptioningModel


def shard(path, pictures):
    """A tar file of pictures."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for picture in pictures:
            data = picture.read_bytes()
            member = tarfile.TarInfo(picture.name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def stopped(monkeypatch):
    """A function: after so many batches, the run is cut off as by a second Ctrl-C."""
    generate = CaptioningModel.generate

    def after(batches):
        calls = []

        def cut_off(self, *arguments, **named):
            calls.append(1)
            if len(calls) > batches:
                raise KeyboardInterrupt
            return generate(self, *arguments, **named)

        monkeypatch.setattr(CaptioningModel, "generate", cut_off)

    yield after
    monkeypatch.setattr(CaptioningModel, "generate", generate)


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
@pytest.mark.parametrize("word", ["shards", "shards/*.tar", "shards/shard-{000000..000001}.tar"])
def test_shards_are_not_written_among_the_ones_that_are_read(caption, photos, here, word, more):
    shard(here / "shards" / "shard-000000.tar", [photos / "a.png", photos / "b.jpg"])
    shard(here / "shards" / "shard-000001.tar", [photos / "c.png"])
    before = everything_in(here / "shards")
    code, _, err = caption(word, "--to", "webdataset", "-o", "shards/", *more)
    assert code == 2
    assert "New shards in 'shards' would be found among the ones that are captioned." in err
    assert everything_in(here / "shards") == before


def test_a_shard_of_somebody_else_is_never_taken_away(caption, photos, here):
    shards = ("--to", "webdataset", "-o", "out", "--shard-size", "4")
    assert caption("photos", *shards)[0] == 0
    shard(here / "out" / "shard-000007.tar", [photos / "a.png"])
    before = everything_in(here / "out")
    code, _, err = caption("photos", *shards, "--overwrite")
    assert code == 2
    assert "'out/shard-000007.tar' is in the way: index.jsonl does not name it" in err
    assert everything_in(here / "out") == before


def test_shards_are_replaced_at_the_end(caption, photos, here, stopped):
    shards = ("--to", "webdataset", "-o", "out", "--shard-size")
    assert caption("photos", *shards, 1)[0] == 0
    old = everything_in(here / "out")
    assert caption("photos", *shards, 4, "--overwrite", "-o", "fresh")[0] == 0
    stopped(2)
    again = ("photos", *shards, 4, "--overwrite")
    assert caption(*again)[0] == 130
    assert {name: data for name, data in everything_in(here / "out").items() if name in old} == old
    stopped(99)
    assert caption(*again)[0] == 0
    assert everything_in(here / "out") == everything_in(here / "fresh")
    assert sorted(name for name in everything_in(here / "out") if name.endswith(".tar")) == [
        "shard-000000.tar",
        "shard-000001.tar",
    ]


@pytest.mark.parametrize("step", ["WebDataset._remove_old", "OneFile.finish", "WebDataset._name"])
def test_shards_that_are_being_replaced_when_power_fails(caption, photos, here, monkeypatch, step):
    shards = ("--to", "webdataset", "-o", "out", "--shard-size")
    assert caption("photos", *shards, 1)[0] == 0
    module = {"W": "webdataset", "O": "one_file"}[step[0]]

    def fail(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"leyenda.volume.outputs.{module}.{step}", fail)
        assert caption("photos", *shards, 4, "--overwrite")[0] == 130
    assert caption("photos", *shards, 4, "--overwrite")[0] == 0
    assert caption("photos", *shards, 4, "-o", "fresh")[0] == 0
    assert everything_in(here / "out") == everything_in(here / "fresh")


def test_shards_of_a_run_that_is_given_up_are_replaced(caption, photos, here, stopped):
    shards = ("--to", "webdataset", "-o", "out", "--shard-size")
    stopped(2)
    assert caption("photos", *shards, 2)[0] == 130
    stopped(1)
    assert caption("photos", *shards, 3, "--overwrite")[0] == 130
    stopped(99)
    assert caption("photos", *shards, 3, "--overwrite")[0] == 0
    assert caption("photos", *shards, 3, "-o", "fresh")[0] == 0
    assert everything_in(here / "out") == everything_in(here / "fresh")


@pytest.mark.parametrize("word", ["photos/**/*.png", "photos/*/*.png", "photos", "photos/deep/d.png"])
def test_described_copies_do_not_become_inputs(caption, photos, here, word):
    code, _, err = caption(word, "--to", "metadata", "-o", "photos/deep")
    assert code == 2
    assert "'photos/deep' would be found among the inputs" in err
    assert caption("photos/*.png", "--to", "metadata", "-o", "photos/out")[0] == 0
    assert sorted(path.name for path in (photos / "out").glob("*.png")) == ["a.png", "c.png", "f.png"]


KINDS = {
    "jsonl": ("-o", "out.jsonl"),
    "csv": ("-o", "out.csv"),
    "parquet": ("-o", "out.parquet"),
    "webdataset": ("--to", "webdataset", "-o", "out", "--shard-size", "3"),
    "sidecar": ("--to", "sidecar", "-o", "out"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mended", ["mended", "still bad"])
def test_a_stopped_run_tries_again_what_failed(caption, photos, here, stopped, kind, mended):
    for name in ("aa.jpg", "bb.png", "deep/dd.png"):
        (photos / name).write_bytes(b"")
    stopped(2)
    assert caption("photos", *KINDS[kind])[0] == 130
    stopped(0)
    assert caption("photos", *KINDS[kind], "--retry-failed")[0] == 130
    if mended == "mended":
        for number, name in enumerate(("aa.jpg", "bb.png", "deep/dd.png")):
            draw(photos / name, 20 + number)
    stopped(99)
    code, _, err = caption("photos", *KINDS[kind], "--retry-failed")
    assert code == (0 if mended == "mended" else 3)
    assert (
        "9 pictures: 9 captioned)." if mended == "mended" else "9 pictures: 6 captioned, 3 failed)."
    ) in err
    again = everything_in(here)
    for path in here.iterdir():
        if path.name.startswith("out"):
            path.rename(here / f"first-{path.name}")
    assert caption("photos", *KINDS[kind])[0] == code
    for name, data in everything_in(here).items():
        if name.startswith("out") and "leyenda-captions" not in name and kind != "webdataset":
            assert again[name] == data, name
    if kind == "webdataset":  # what was tried again lies in later shards
        lines = lines_of(here / "first-out" / "index.jsonl")
        assert [line["image"] for line in lines] == [
            line["image"] for line in lines_of(here / "out" / "index.jsonl")
        ]


def test_a_name_that_failed_twice_keeps_both_places(caption, photos, here, stopped):
    (photos / "bad.png").write_bytes(b"")
    again = ("photos", "photos", "--duplicates", "each", "--retry-failed", "-o", "out.jsonl")
    for batches in (2, 3, 0):
        stopped(batches)
        assert caption(*again)[0] == 130
    stopped(99)
    assert caption(*again)[0] == 3
    names = [line["image"] for line in lines_of(here / "out.jsonl")]
    assert names[:7] == names[7:] == sorted(names[:7])


SURE = ("--min-confidence", "0.999", "--review")


@pytest.mark.parametrize(
    ("words", "review", "message"),
    [
        (("photos", "-o", "out.jsonl"), "out.jsonl", "the captions go there"),
        (("photos", "-o", "out.jsonl"), "./out.jsonl", "the captions go there"),
        (("photos", "--to", "sidecar"), "photos/leyenda-captions.jsonl", "the captions go there"),
        (("photos", "--to", "webdataset", "-o", "w"), "w/index.jsonl", "the captions go there"),
        (("table.jsonl", "-o", "out.jsonl"), "table.jsonl", "it is one of the inputs"),
        (("photos", "-o", "out.jsonl"), "notes.jsonl", "is no review list of leyenda's"),
        (("photos", "-o", "out.jsonl"), "other.jsonl", "is no review list of leyenda's"),
        (("photos", "-o", "out.jsonl"), "photos/a.png", "has another ending. Name it a.review.jsonl"),
        (("photos", "-o", "out.jsonl"), "no/list.jsonl", "There is no folder 'no'."),
    ],
)
def test_a_review_list_takes_the_place_of_nothing_else(caption, photos, here, words, review, message):
    assert caption("photos", "-o", "other.jsonl")[0] == 0
    (here / "notes.jsonl").write_text("my notes\n")
    (here / "table.jsonl").write_text('{"image": "photos/a.png"}\n')
    before = everything_in(here)
    code, _, err = caption(*words, *SURE, review)
    assert code == 2
    assert message in err
    assert everything_in(here) == before


def test_a_review_list_is_written_again(caption, photos, here):
    assert caption("photos", "-o", "out.jsonl", *SURE, "list.jsonl")[0] == 0
    assert len(lines_of(here / "list.jsonl")) == 6
    draw(photos / "new.png", 11)
    assert caption("photos", "-o", "out.jsonl", *SURE, "list.jsonl")[0] == 0
    assert len(lines_of(here / "list.jsonl")) == 7


def test_python_takes_the_names_of_the_command(caption, photos, here, tiny_checkpoint):
    (here / "names.txt").write_text("photos/a.png\nphotos/b.jpg\n")
    rules = ("--trigger", "sks", "--max-words", "2", "--strip-start", "zebra", "--list", "names.txt")
    assert caption(*rules, "-o", "cli.jsonl", "--batch-size", "2")[0] == 0
    leyenda.caption_all(
        [],
        "api.jsonl",
        model=str(tiny_checkpoint),
        device="cpu",
        max_length=6,
        batch_size=2,
        trigger="sks",
        max_words=2,
        strip_start="zebra",
        list=here / "names.txt",
    )
    assert (here / "api.jsonl").read_bytes() == (here / "cli.jsonl").read_bytes()
    assert all(line["caption"].startswith("sks, ") for line in lines_of(here / "api.jsonl"))
    with pytest.raises(leyenda.LeyendaError, match="The output has no name"):
        leyenda.caption_all("photos", "", model=str(tiny_checkpoint))
    with pytest.raises(leyenda.LeyendaError, match="There is no output"):
        leyenda.caption_all("photos", model=str(tiny_checkpoint))
    leyenda.caption_all("photos", to="sidecar", model=str(tiny_checkpoint), device="cpu", max_length=6)
    assert (photos / "a.txt").is_file()
