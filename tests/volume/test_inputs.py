"""Which pictures the words of a command line mean, and that they are read as they come."""

from __future__ import annotations

import io
import json
import os
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.volume.conftest import draw, lines_of

from leyenda.errors import LeyendaError
from leyenda.images.opening import read_picture
from leyenda.records import ImageSource, PictureBytes
from leyenda.volume.inputs.input_options import InputOptions
from leyenda.volume.inputs.opening import open_inputs

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with pictures, other files, hidden ones and folders."""
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        ".hidden.jpg",
        "deep/er/c.webp",
        "deep/d.jpeg",
        ".cache/e.jpg",
        "set[1].jpg",
        "empty/readme.md",
        "dir.jpg/f.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words, data=b"", **options):
    inputs = open_inputs(words, InputOptions(**options), io.BytesIO(data))
    found = [item.name for item in inputs]
    assert [item.name for item in inputs] == found  # they can be gone through again
    assert inputs.count() == len(found)
    return found


def test_a_folder_is_the_pictures_in_and_below_it_sorted(here):
    assert names("deep") == ["deep/d.jpeg", "deep/er/c.webp"]
    expected = ["a.PNG", "b.jpg", "deep/d.jpeg", "deep/er/c.webp", "dir.jpg/f.jpg", "set[1].jpg"]
    assert names(".") == expected
    assert names(str(here)) == [str(here / name) for name in expected]
    assert names("deep/") == ["deep/d.jpeg", "deep/er/c.webp"]


def test_globs(here):
    assert names("*.jpg") == ["b.jpg", "set[1].jpg"]
    assert names("**/*.jp*g") == ["b.jpg", "deep/d.jpeg", "dir.jpg/f.jpg", "set[1].jpg"]
    assert names("*") == ["a.PNG", "b.jpg", "set[1].jpg"]
    assert names("[ab].*") == ["a.PNG", "b.jpg"]


def test_a_file_whose_name_looks_like_a_glob(here):
    assert names("set[1].jpg") == ["set[1].jpg"]


def test_words_keep_their_order_and_their_spelling(here):
    words = [
        "b.jpg",
        "./b.jpg",
        "deep",
        "https://example.org/a?size=[1]&x=*",
        "nope.jpg",
        "notes.txt",
        "b.jpg",
    ]
    assert names(*words) == [*words[:2], "deep/d.jpeg", "deep/er/c.webp", *words[3:]]


def test_which_inputs_are_one_picture(here):
    def single(*words, data=b""):
        return open_inputs(words, standard_input=io.BytesIO(data)).single

    assert single("b.jpg")
    assert single("https://example.org/a.jpg")
    assert single("-", data=PNG)
    assert not single("b.jpg", "a.PNG")
    assert not single("deep")
    assert not single("b*.jpg")
    assert not single("-", data=b"b.jpg\n")


def test_a_picture_on_standard_input(here):
    (picture,) = open_inputs(["-"], standard_input=io.BytesIO(PNG))
    assert (picture.name, picture.source.data) == ("-", PNG)


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7\n%\xe2\xe3\0\x01", b"\0\0\0\x18ftypheic", b"P3\n2 1\n255\n0 0 0 9 9 9\n", b"BM6\0\0\0"],
)
def test_bytes_that_are_no_list_are_one_picture(here, data):
    (picture,) = open_inputs(["-"], standard_input=io.BytesIO(data))
    assert picture.source.data == data


def test_a_list_on_standard_input(here):
    listed = "b.jpg\r\n\n  a.PNG  \nBM.jpg\nhttps://example.org/ñ.jpg\n*.jpg".encode()
    assert names("-", data=b"\xef\xbb\xbf" + listed) == [
        "b.jpg",
        "a.PNG",
        "BM.jpg",
        "https://example.org/ñ.jpg",
        "*.jpg",  # what `find` and `ls` print are names, never patterns
    ]
    assert names("-", data=b"BMW.jpg\nb.jpg") == ["BMW.jpg", "b.jpg"]


def test_names_that_are_no_utf8(here):
    odd = os.fsdecode(b"a\xe9o.jpg")
    (here / odd).write_bytes(b"")
    assert odd in names("*.jpg")
    assert names("-", data=b"a\xe9o.jpg\n") == [odd]


def test_a_link_whose_target_has_gone_is_still_an_input(here):
    (here / "deep" / "gone.jpg").symlink_to("nowhere.jpg")
    assert "deep/gone.jpg" in names("deep")


def test_folders_that_link_to_themselves_end(here):
    (here / "deep" / "again").symlink_to(here / "deep")
    (here / "deep" / "er" / "up").symlink_to("..")
    assert names("deep") == ["deep/d.jpeg", "deep/er/c.webp"]
    assert names("deep/er") == ["deep/er/c.webp", "deep/er/up/d.jpeg"]
    assert names("deep/**/*.webp") == ["deep/er/c.webp"]


def test_folders_elsewhere_that_are_linked_to(here, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    draw(elsewhere / "z.png", 1)
    (here / "deep" / "there").symlink_to(elsewhere)
    assert names("deep") == ["deep/d.jpeg", "deep/er/c.webp", "deep/there/z.png"]


def test_the_order_is_that_of_all_paths_sorted(here):
    for name in (
        "b/x.png",
        "b.png",
        "b-c/x.png",
        "b c/x.png",
        "B/x.png",
        "b0.png",
        "é/x.png",
        "b/.y.png/x.png",
    ):
        draw(here / "order" / name, 1)
    expected = sorted(str(path.relative_to(here)) for path in (here / "order").rglob("[!.]*.png"))
    expected = [path for path in expected if "/." not in path]
    assert names("order") == expected
    assert names("order/**") == names("order/**/*.png") == expected
    assert names("order", hidden=True) == sorted([*expected, "order/b/.y.png/x.png"])


def test_a_file_of_names(here):
    (here / "list.txt").write_bytes(
        "b.jpg\n\nhttps://example.org/ñ.jpg\r\n  deep/d.jpeg \na\u2028b.png\n".encode()
    )
    (here / " b c.png ").write_bytes(b"")
    with open("list.txt", "a") as file:
        file.write(" b c.png ")
    expected = ["b.jpg", "https://example.org/ñ.jpg", "deep/d.jpeg", "a\u2028b.png", " b c.png "]
    assert names(lists=["list.txt"]) == expected
    assert names("a.PNG", lists=["list.txt", "list.txt"]) == ["a.PNG", *expected, *expected]
    assert names(lists=["-"], data=b"b.jpg\n" * 30_000) == ["b.jpg"] * 30_000


@pytest.fixture
def pictures(here):
    """A folder of pictures for tables to name."""
    return [draw(here / "pictures" / f"{number}.png", number) for number in range(3)]


def items(*words, **options):
    return list(open_inputs(words, InputOptions(**options)))


TABLES = {
    "t.csv": "image,name\npictures/0.png,Ana\npictures/1.png,Bo\nhttps://example.org/2.png,Cy\n",
    "t.tsv": "name\timage\nAna\tpictures/0.png\nBo\tpictures/1.png\nCy\thttps://example.org/2.png\n",
    "t.jsonl": '{"image": "pictures/0.png", "name": "Ana"}\n{"image": "pictures/1.png", "name": "Bo"}\n'
    '{"image": "https://example.org/2.png", "name": "Cy"}\n',
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_that_name_pictures(table, here, pictures):
    (here / "tables").mkdir()
    (here / "tables" / table).write_text(TABLES[table])
    found = items(f"tables/{table}", image_root=str(here))
    assert [item.name for item in found] == ["pictures/0.png", "pictures/1.png", "https://example.org/2.png"]
    assert [item.columns["name"] for item in found] == ["Ana", "Bo", "Cy"]
    assert os.path.samefile(found[0].source, pictures[0])
    assert found[0].relative == "pictures/0.png"


def test_a_table_finds_the_folder_of_its_pictures(here, pictures):
    (here / "pictures" / "t.csv").write_text("file,image\nx,0.png\ny,1.png\n")
    with pytest.raises(LeyendaError, match="several columns that could be the image"):
        items("pictures/t.csv")
    found = items("pictures/t.csv", image_column="image")
    assert [item.source for item in found] == ["pictures/0.png", "pictures/1.png"]


def test_a_row_that_names_no_picture_and_one_that_leads_out(here, pictures, caption):
    (here / "t.csv").write_text("image,n\npictures/0.png,1\n,2\n../../x.png,3\n")
    found = items("t.csv")
    assert [item.name for item in found] == ["pictures/0.png", "t.csv:3", "../../x.png"]
    assert found[2].relative == "x.png"
    code, _, err = caption("t.csv", "-o", "out.jsonl")
    assert code == 3
    assert "No picture is named." in err


GOOD_ROWS = {".csv": b"pictures/0.png,Ana\n", ".jsonl": b'{"image": "pictures/0.png", "name": "Ana"}\n'}
BAD_ROWS = {
    ".csv": {
        b"pictures/1.png,Bo,more\n": "the row has 3 values and the header 2",
        b"pictures/1.png\n": "the row has 1 values and the header 2",
        b"pictures/1.png,ni\xf1o\n": "byte 0xf1 is not UTF-8",
        b'pictures/1.png,"never closed\n': 'a quote (") that opens in this row is never closed',
        b'pictures/1.png,"closed"early\n': 'text follows a closing quote (")',
    },
    ".jsonl": {
        b'{"image": 5}\n': "the picture is not a file name but '5'",
        b'{"image": "pictures/1.png"\n': "not JSON",
        b'["pictures/1.png"]\n': "not a JSON object but",
        b'{"image": "pictures/1.png", "name": "ni\xf1o"}\n': "byte 0xf1 is not UTF-8",
        b"[" * 5000 + b"\n": "lists are nested too deeply",
    },
}
HEADERS = {".csv": b"image,name\n", ".jsonl": b""}


@pytest.mark.parametrize(
    ("ending", "bad"), [(ending, bad) for ending, rows in BAD_ROWS.items() for bad in rows]
)
@pytest.mark.parametrize("good_before", [0, 40])
def test_a_bad_row_costs_itself(here, pictures, caption, ending, bad, good_before):
    good, name = GOOD_ROWS[ending], f"t{ending}"
    rows = [HEADERS[ending], good * good_before, bad, good, bad, good * 2]
    (here / name).write_bytes(b"".join(rows))
    first = good_before + 1 + (ending == ".csv")
    code, _, err = caption(name, "-o", "out.jsonl", "--prompt", "a {name}", "--max-length", "12")
    assert code == 3
    assert f"No caption for 2 of {good_before + 5} pictures:" in err
    assert f"  {name}:{first}: " in err
    assert f"  {name}:{first + 2}: {BAD_ROWS[ending][bad]}" in err
    written = lines_of(here / "out.jsonl")
    assert [line["error"]["code"] for line in written if "error" in line] == ["bad_row"] * 2
    assert [line["image"] for line in written[good_before:]] == [
        f"{name}:{first}",
        "pictures/0.png",
        f"{name}:{first + 2}",
        *["pictures/0.png"] * 2,
    ]
    assert caption(name, "-o", "out.jsonl", "--prompt", "a {name}", "--max-length", "12")[0] == 3
    assert lines_of(here / "out.jsonl") == written
    (here / name).write_bytes(b"".join([*rows[:2], good, good, good, good * 2]))
    code, _, _ = caption(name, "-o", "out.jsonl", "--prompt", "a {name}", "--max-length", "12")
    assert code == 0
    assert [line["image"] for line in lines_of(here / "out.jsonl")] == ["pictures/0.png"] * (good_before + 5)


def test_bad_rows_have_no_text_files(here, pictures, caption):
    rows = ["pictures/0.png,x", "pictures/1.png", "pictures/1.png,x,x", "pictures/2.png,x"]
    (here / "t.csv").write_text("\n".join(["image,name", *rows]))
    assert caption("t.csv", "--to", "sidecar", "-o", "out")[0] == 3
    assert sorted(path.name for path in (here / "out").rglob("*.txt")) == ["0.txt", "2.txt"]
    code, out, err = caption("t.csv")
    assert code == 3
    assert len(out.splitlines()) == 2
    assert "  t.csv:3: the row has 1 values and the header 2." in err


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("t.csv", b"image,name\n" + b"a.png\n" * 40, "t.csv:2: the row has 1 values"),
        ("t.csv", "image,name\na.png,x\n".encode("utf-16"), "it looks like UTF-16"),
        ("t.csv", b'"image,name\na.png,x\n', "t.csv:1: a quote"),
        ("t.jsonl", b'{"image": 5}\n' * 40, "t.jsonl:1: the picture is not a file name but '5'"),
        ("t.jsonl", b"image,name\na.png,x\n", "t.jsonl:1: not JSON"),
        ("t.json", b"{", "t.json:1: not JSON"),
    ],
)
def test_a_file_that_is_no_table_is_an_error_before_the_work(here, caption, name, data, message):
    (here / name).write_bytes(data)
    code, _, err = caption(name, "-o", "out.jsonl")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_missing_shards_are_called_shards(here, pictures, caption):
    shard("s-1.tar", pictures)
    code, _, err = caption("s-{0..2}.tar", "-o", "out.jsonl")
    assert code == 3
    assert "There is no shard 's-0.tar'. Check the name and the folder." in err
    assert [line["image"] for line in lines_of(here / "out.jsonl")] == [
        "s-0.tar",
        *(f"s-1.tar/s/000{number}.png" for number in range(3)),
        "s-2.tar",
    ]
    shard("s-0.tar", pictures)
    shard("s-2.tar", pictures)
    assert caption("s-{0..2}.tar", "-o", "out.jsonl")[0] == 0
    assert len(lines_of(here / "out.jsonl")) == 9
    code, _, err = caption("t-{0..2}.tar")
    assert (code, "There is no shard 't-0.tar' (nor is any of the others there)." in err) == (2, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_lists_that_are_named_or_saved_otherwise(here, pictures, caption, encoding, monkeypatch):
    names = here / "some names.txt"
    names.write_bytes("\npictures/0.png\npictures/1.png\n".encode(encoding))
    if encoding != "utf-16-le":
        code, _, err = caption("some names.txt")
        assert code == 2
        assert "'some names.txt' is no picture, but a list of names. Write: --list 'some names.txt'" in err
    code, _, err = caption("--list", "some names.txt")
    assert code == (2 if "16" in encoding else 0)
    assert ("The list 'some names.txt' is UTF-16. Save it as UTF-8." in err) == ("16" in encoding)
    if encoding in ("utf-8", "utf-16"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(names.read_bytes())))
        code, _, err = caption("-")
        assert (code, "Standard input is UTF-16" in err) == ((0, False) if encoding == "utf-8" else (2, True))


def test_names_on_the_terminal_stay_on_their_line(here, caption):
    names = ["a\nb.png", "c\td.png", "e\x1b[31m.png", "über א.png"]
    for number, name in enumerate(names):
        draw(here / "odd" / name, number)
    (here / "odd" / "z\nz.png").write_bytes(b"")
    code, out, err = caption("odd")
    assert code == 3
    shown = ["a\\nb.png", "c\\td.png", "e\\x1b[31m.png", "über א.png"]
    assert [line.split("\t")[0] for line in out.splitlines()] == [f"odd/{name}" for name in shown]
    assert err.splitlines()[1:] == ["  'odd/z\\nz.png' holds no bytes at all."]


def test_pictures_in_parquet(here, pictures):
    values = [{"bytes": path.read_bytes(), "path": path.name} for path in pictures]
    table = pa.table({"image": values * 20, "age": list(range(60)), "text": ["x"] * 60})
    pq.write_table(table, "pictures.parquet", row_group_size=7)
    found = items("pictures.parquet")
    assert [item.name for item in found] == ["0.png", "1.png", "2.png"] * 20
    assert all(isinstance(item.source, PictureBytes) for item in found)
    assert found[4].source.data == pictures[1].read_bytes()
    assert open_inputs(["pictures.parquet"]).count() == 60
    pq.write_table(pa.table({"path": ["pictures/2.png", "pictures/0.png"]}), "names.parquet")
    assert [item.source for item in items("*s.parquet")[:2]] == ["pictures/2.png", "pictures/0.png"]


def shard(path, pictures, mode="w"):
    with tarfile.open(path, mode) as tar:
        for number, picture in enumerate(pictures):
            for ending, data in (
                (".json", json.dumps({"who": f"P{number}"}).encode()),
                (".png", picture.read_bytes()),
                (".txt", b"a dog"),
            ):
                member = tarfile.TarInfo(f"s/{number:04}{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def test_shards(here, pictures, caption):
    (here / "shards").mkdir()
    shard("shards/000.tar", pictures)
    shard("shards/001.tar", pictures[:1])
    shard("shards/002.tar.gz", pictures, "w:gz")
    expected = [f"shards/000.tar/s/000{n}.png" for n in range(3)] + ["shards/001.tar/s/0000.png"]
    last = [f"shards/002.tar.gz/s/000{n}.png" for n in range(3)]
    assert names("shards/*.tar") == names("shards/{000..001}.tar") == expected
    assert [item.name for item in items("shards")] == expected + last
    found = items("shards")
    assert isinstance(found[0].source, ImageSource)
    assert found[1].source.read() == found[5].source.data == pictures[1].read_bytes()
    code, out, _ = caption("shards", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["caption"] for line in lines[:3]] == [line["caption"] for line in lines[4:]]


def plain_shard(path, pictures, mode="w"):
    """A shard of pictures alone."""
    with tarfile.open(path, mode) as tar:
        for picture in pictures:
            tar.add(picture, picture.name)


@pytest.mark.parametrize("further", [(), ("--prompt", "a {who}", "--max-length", "12")])
def test_a_shard_cut_anywhere_is_a_failed_input(here, pictures, caption, further):
    shard("s.tar", pictures)
    draw(here / "other.png", 9)
    whole = (here / "s.tar").read_bytes()
    with tarfile.open("s.tar") as tar:
        ends = [member.offset_data + member.size for member in tar if member.name.endswith(".png")]
        end = tar.getmembers()[-1].offset_data + 512
    last = here / "t.tar"
    for cut in (ends[0], ends[1] - 9, ends[1] + 700, ends[2] - 1, ends[2], end - 512, end - 500, end):
        last.write_bytes(whole[:cut])
        lines = [item for item in items("s.tar", "t.tar") if item.name.startswith("t.tar")]
        assert [item.name for item in lines] == [
            *(f"t.tar/s/000{number}.png" for number, at in enumerate(ends) if at <= cut),
            "t.tar",
        ]
    code, _, err = caption("t.tar", "s.tar", "-o", "out.jsonl", *further)
    assert code == 3
    assert "  t.tar is not a whole tar file: it ends without a tar file's end mark" in err
    written = lines_of(here / "out.jsonl")
    assert written[3]["image"] == "t.tar"
    assert written[3]["error"]["code"] == "broken_shard"
    assert [line["image"] for line in written if "caption" in line] == [
        f"{name}.tar/s/000{number}.png" for name in "ts" for number in range(3)
    ]
    last.write_bytes(whole)
    code, _, err = caption("t.tar", "s.tar", "-o", "out.jsonl", *further)
    assert code == 0
    assert len(lines_of(here / "out.jsonl")) == 6


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_shards_that_are_whole_and_that_are_not(here, pictures, caption, mode):
    name = "s.tar" + mode[1:].replace(":", ".")
    plain_shard(name, pictures, mode)
    whole = (here / name).read_bytes()
    assert caption(name)[0] == 0
    if mode == "w":
        (here / name).write_bytes(whole[: -len(whole) % 512 or -1024].rstrip(b"\0") + bytes(1024 + 511))
        assert caption(name)[0] == 0  # padded in another way
        broken = bytearray(whole)
        with tarfile.open(name) as tar:
            broken[tar.getmembers()[1].offset + 5] ^= 1
        (here / name).write_bytes(broken)
    else:
        (here / name).write_bytes(whole[: len(whole) // 2])
    code, _, err = caption(name, "photo.png" if draw(here / "photo.png", 8) else "")
    assert (code, "is not a whole tar file" in err) in ((3, True), (2, True))
    (here / name).write_bytes(b"<html>404</html>" * 90)
    code, _, err = caption(name)
    assert (code, "is not a whole tar file" in err) == (2, True)


def test_a_saved_dataset(here, pictures):
    datasets = pytest.importorskip("datasets")
    rows = {"image": [str(path) for path in pictures], "who": ["a", "b", "c"]}
    dataset = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    embedded = dataset.map(lambda row: row, features=dataset.features)
    datasets.DatasetDict({"train": embedded, "test": embedded.select([1])}).save_to_disk("saved")
    found = items("saved")
    assert len(found) == 4
    assert open_inputs(["saved"]).count() == 4
    data = [read_picture(item.source).data for item in found]
    assert data == [path.read_bytes() for path in (*pictures, pictures[1])]


def test_prompts_from_columns_are_checked_before_the_work(here, pictures, caption):
    (here / "t.csv").write_text("image,name\npictures/0.png,Ana\n")
    code, _, err = caption("t.csv", "--prompt", "a photo of {nane}")
    assert code == 2
    assert "There is no column 'nane' for the prompt 'a photo of {nane}'" in err
    code, _, err = caption("pictures", "--prompt", "a photo of {name}")
    assert code == 2
    assert "these pictures have no columns" in err
    code, out, _ = caption("t.csv", "--prompt", "a photo of {name}", "--max-length", 12)
    assert code == 0
    assert "ana" in out.lower()


def test_prompts_from_samples_are_checked_before_the_work(here, pictures, caption, monkeypatch):
    shard("s.tar", pictures)
    for prompt in ("a {whom}", "a {whom} {who}"):
        code, _, err = caption("s.tar", "--prompt", prompt)
        assert code == 2
        assert (
            f"There is no column 'whom' for the prompt '{prompt}': the columns are who, txt. Did you" in err
        )
    datasets = pytest.importorskip("datasets")
    rows = {"image": [str(path) for path in pictures], "name": ["a", "b", "c"]}
    datasets.Dataset.from_dict(rows).save_to_disk("saved")
    code, _, err = caption("saved", "--prompt", "a {nme}")
    assert code == 2
    assert "There is no column 'nme' for the prompt 'a {nme}'" in err
    streamed = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image()).to_iterable_dataset()
    monkeypatch.setattr(
        "leyenda.volume.inputs.data_sets.load_splits", lambda library, id_, options: {"train": streamed}
    )
    code, _, err = caption("owner/pictures", "--prompt", "a {nme}")
    assert code == 2
    assert "There is no column 'nme' for the prompt 'a {nme}': the columns are image, name." in err


ODD_ADDRESSES = (
    "http://[bad/x.jpg",
    "http://[::1/a.png",
    "http://",
    "http://a:b/c.jpg",
)


@pytest.mark.parametrize("to", [("-o", "out.jsonl"), ("--to", "sidecar", "-o", "out"), ()])
def test_addresses_that_are_none_cost_themselves(here, pictures, caption, to):
    (here / "list.txt").write_text("\n".join([*ODD_ADDRESSES, "pictures/0.png"]))
    code, _, err = caption("--list", "list.txt", *to)
    assert code == 3
    assert f"No caption for {len(ODD_ADDRESSES)} of {len(ODD_ADDRESSES) + 1} pictures:" in err
    assert all(address in err for address in ODD_ADDRESSES)


@pytest.mark.parametrize(
    ("words", "data", "message"),
    [
        ([], b"", "No picture is named."),
        (["empty"], b"", "The folder 'empty' holds no picture."),
        (["b.jpg", "empty"], b"", "The folder 'empty' holds no picture."),
        (["*.gif"], b"", "No picture matches '*.gif'."),
        (["*.txt"], b"", "No picture matches '*.txt'."),
        (["nope.jpg"], b"", "There is no file 'nope.jpg'. Check the name and the folder."),
        (["nope.jpg", "no.png"], b"", "There is no file 'nope.jpg' (nor is any of the others there)."),
        (["nowhere/"], b"", "There is no file 'nowhere/'."),
        (["a\0b.jpg"], b"", "There is no file 'a\\x00b.jpg'."),
        (["-"], b"", "Standard input is empty."),
        (["-"], b" \n\n", "Standard input is empty."),
        (["-"], b"nope.jpg\n", "There is no file 'nope.jpg'."),
        (["-", "-"], b"", "Standard input (-) is named twice."),
    ],
)
def test_nothing_to_caption(here, words, data, message):
    with pytest.raises(LeyendaError) as caught:
        open_inputs(words, standard_input=io.BytesIO(data))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_read(here, monkeypatch):
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("er"):
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LeyendaError, match=r"The folder 'deep/er' cannot be read: Permission denied."):
        list(open_inputs(["deep"]))


def test_near_pictures_are_captioned_once(here, caption):
    from PIL import Image

    fields = np.random.default_rng(3).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    drawn = Image.fromarray(fields).resize((96, 64), Image.Resampling.BICUBIC)
    (here / "in").mkdir()
    drawn.save(here / "in" / "a.png")
    drawn.save(here / "in" / "b.jpg", quality=80)
    drawn.resize((150, 100)).save(here / "in" / "c.png")
    draw(here / "in" / "d.png", 9)
    (here / "in" / "e.png").write_bytes((here / "in" / "a.png").read_bytes())
    for kind, copied in (("each", 0), ("bytes", 1), ("near", 3)):
        code, out, _ = caption("in", "-o", f"{kind}.jsonl", "--duplicates", kind, "--json")
        assert code == 0
        assert json.loads(out.splitlines()[-1])["copied"] == copied
    near = lines_of(here / "near.jsonl")
    assert [line["caption"] == near[0]["caption"] for line in near[:3]] == [True] * 3
    assert near[4]["caption"] == near[0]["caption"]
