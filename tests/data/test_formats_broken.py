"""Broken and ambiguous sources: each has its message, on one line, which names the place."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leyenda.data import load_examples
from leyenda.errors import DataError, HubError

COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}],
    "annotations": [{"image_id": 1, "id": 1, "caption": "x"}],
}


def shard(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return held.getvalue()


def parquet(**columns: list[object]) -> bytes:
    held = io.BytesIO()
    pq.write_table(pa.table(columns), held)
    return held.getvalue()


def changed(document: dict[str, list[dict[str, object]]], key: str, **entry: object) -> bytes:
    return json.dumps({**document, key: [entry]}).encode()


BROKEN_FILES: dict[str, tuple[str, bytes, str]] = {
    "csv, empty": ("a.csv", b"", "a.csv is empty. Its first line must name the columns"),
    "csv, only a header": ("a.csv", b"image,caption\n", "holds no pictures (read as csv)"),
    "csv, no image column": (
        "a.csv",
        b"id,caption\n1,x\n",
        "its columns are id, caption. Name it with --image-column",
    ),
    "csv, no caption column": (
        "a.csv",
        b"image,title\na,x\n",
        "image, title. Name it with --caption-column NAME",
    ),
    "csv, two caption columns": (
        "a.csv",
        b"image,text,caption\na,x,y\n",
        "several columns that could be the caption (text, caption) among image, text, caption",
    ),
    "csv, two image columns": ("a.csv", b"image,path,text\na,x,y\n", "Name one with --image-column NAME"),
    "csv, two columns of one name": (
        "a.csv",
        b"image,text,text\na,x,y\n",
        "a.csv:1: two columns have the name 'text'",
    ),
    "csv, Latin-1": (
        "a.csv",
        "image,caption\na.jpg,x\nb.jpg,ca\xf1a\n".encode("latin-1"),
        "a.csv:3: byte 0xf1 is not",
    ),
    "csv, UTF-16": (
        "a.csv",
        "image,caption\n".encode("utf-16"),
        "a.csv:1: byte 0xff is not UTF-8 (it looks like UTF",
    ),
    "csv, quote never closed": ("a.csv", b'image,caption\na.jpg,x\nb.jpg,"y\nc.jpg,z\n', "a.csv:3: a quote"),
    "csv, very long after a quote": (
        "a.csv",
        b'image,caption\na.jpg,"' + b"word,\n" * 40000,
        'a.csv:2: a quote (") that opens in this row is never closed',
    ),
    "csv, text after a quote": (
        "a.csv",
        b'image,caption\na.jpg,"No" said the dog\n',
        "a.csv:2: text follows a closing",
    ),
    "csv, too many values": (
        "a.csv",
        b"image,caption\na.jpg,x\nb.jpg,y,z\n",
        "a.csv:3: the row has 3 values and the",
    ),
    "csv, too few values": (
        "a.csv",
        b"image,caption\na.jpg\n",
        "a.csv:2: the row has 1 values and the header 2",
    ),
    "csv, Python list": (
        "a.csv",
        b"image,caption\na.jpg,\"['x', 'y']\"\n",
        "a.csv:2: the captions are a Python list",
    ),
    "csv, addresses": (
        "a.csv",
        b"url,caption\nhttps://x.org/a.jpg,x\n",
        "names pictures by address ('https://x.org/a",
    ),
    "jsonl, empty": ("a.jsonl", b"", "a.jsonl is empty"),
    "jsonl, malformed": ("a.jsonl", b'{"image": "a", "text": "x"}\n{"image": \n', "a.jsonl:2: not JSON"),
    "jsonl, malformed far below": (
        "a.jsonl",
        b'{"image": "a", "text": "x"}\n' * 99 + b"{'image'}\n",
        "a.jsonl:100: not JSON",
    ),
    "jsonl, not objects": ("a.jsonl", b'["a.jpg", "x"]\n', 'a.jsonl:1: not a JSON object but ["a.jpg", "x"]'),
    "jsonl, caption a number": (
        "a.jsonl",
        b'{"image": "a", "text": 5}\n',
        "a.jsonl:1: a caption is not text but '5'",
    ),
    "jsonl, image a number": (
        "a.jsonl",
        b'{"image": 5, "text": "x"}\n',
        "a.jsonl:1: the picture is not a file name",
    ),
    "jsonl, not UTF-8": ("a.jsonl", b'{"image": "a", "text": "\xff"}\n', "a.jsonl:1: byte 0xff is not UTF-8"),
    "json, malformed list": ("a.json", b'[\n{"image": "a"},\nb]', "a.json:3: not JSON"),
    "json, of nothing known": (
        "a.json",
        b'{"rows": 5}',
        "is no data set that leyenda knows: a file ending in .json",
    ),
    "coco, cut off": ("a.json", json.dumps(COCO, indent=1).encode()[:-20], "a.json:12: not JSON"),
    "coco, no annotations": ("a.json", b'{"images": []}', "needs the lists 'images' and 'annotations'"),
    "coco, key points": (
        "a.json",
        changed(COCO, "annotations", image_id=1, id=1, keypoints=[]),
        "entry 1 of 'annotations' has no 'caption'. Is it a COCO *captions* file?",
    ),
    "coco, image without a name": (
        "a.json",
        changed(COCO, "images", id=1),
        "entry 1 of 'images' has no 'file_name'",
    ),
    "coco, unknown image": (
        "a.json",
        changed(COCO, "annotations", image_id=9, id=1, caption="x"),
        "annotation 1 is about the image 9, which 'images' lacks",
    ),
    "coco, two images of one id": (
        "a.json",
        json.dumps(
            {**COCO, "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]}
        ).encode(),
        "two entries of 'images' have the id 1",
    ),
    "json, nested without end": ("a.json", b"[" * 200_000, "a.json: lists are nested too deeply"),
    "jsonl, half a character": (
        "a.jsonl",
        b'{"image": "a", "text": "x"}\n{"image": "b", "text": "ha \\ud83d"}\n',
        "a.jsonl:2: 'ha \\ud83d' holds a character that is not whole",
    ),
    "karpathy, no raw text": (
        "a.json",
        b'{"images": [{"filename": "a.jpg", "split": "val", "sentences": [{"tokens": ["x"]}]}]}',
        "entry 1 of 'images' has no 'sentences' with 'raw' text",
    ),
    "karpathy, no file name": (
        "a.json",
        b'{"images": [{"split": "val", "sentences": [{"raw": "x"}]}]}',
        "entry 1 of 'images' has no 'filename'",
    ),
    "flickr8k, a line without a tab": (
        "Flickr8k.token.txt",
        b"a.jpg#0\tx\na.jpg#1 y\n",
        "Flickr8k.token.txt:2: the line is not like 'name.jpg#0<TAB>caption'",
    ),
    "parquet, not parquet": ("a.parquet", b"image,caption\n", "a.parquet is not a Parquet file"),
    "parquet, cut off": (
        "a.parquet",
        parquet(image=["a"], text=["x"])[:-9],
        "a.parquet is not a whole Parquet file",
    ),
    "parquet, images are numbers": (
        "a.parquet",
        parquet(image=[5], text=["x"]),
        "the image column 'image' holds int64, neither bytes nor file names",
    ),
    "parquet, captions are numbers": (
        "a.parquet",
        parquet(image=["a.jpg"], text=[5]),
        "a.parquet:1: a caption is not text but '5'",
    ),
    "parquet, one name for two pictures": (
        "a.parquet",
        parquet(image=[b"one", b"two"], file_name=["a.jpg", "a.jpg"], text=["x", "y"]),
        "Two different pictures have the name 'a.jpg'",
    ),
    "tar, not a tar": ("a.tar", b"image,caption\n" * 99, "a.tar is not a whole tar file"),
    "tar, cut off": (
        "a.tar",
        shard(("a.jpg", b"x" * 5000), ("a.txt", b"x"))[:3000],
        "a.tar is not a whole tar file",
    ),
    "tar, compressed and cut off": (
        "a.tar.gz",
        gzip.compress(shard(("a.jpg", bytes(range(256)) * 99)))[:-20],
        "a.tar.gz is not a whole gzip file. Copy or download it again",
    ),
    "tar, compressed in a way that Python cannot undo": (
        "a.tar",
        b"\x28\xb5\x2f\xfd" + bytes(99),
        "a.tar is compressed with Zstandard. Unpack it first",
    ),
    "tar, captions nested": ("a.tar", shard(("a.jpg", b"x"), ("a.json", b"[" * 99999)), "nested too deeply"),
    "jsonl, nested": ("a.jsonl", b'{"image": ' + b"[" * 99999, "a.jsonl:1: lists are nested too deeply"),
    "jsonl, a split that is a number": (
        "a.jsonl",
        b'{"image": "a", "caption": "b", "split": 1}\n',
        "a.jsonl:1: the split is not text but '1'. Write train, validation or test",
    ),
    "parquet, a split that is a number": (
        "a.parquet",
        parquet(image=[b"x"], caption=["a"], split=[2]),
        "a.parquet:1: the split is not text but '2'",
    ),
    "karpathy, a split that is a number": (
        "a.json",
        json.dumps({"images": [{"filename": "a", "split": 5, "sentences": [{"raw": "x"}]}]}).encode(),
        "a.json:1: the split is not text but '5'",
    ),
    "csv, a value that is too long": (
        "a.csv",
        b'image,caption\na,"' + b"x" * 200_000 + b'"\n',
        "is never closed, or a value is longer than 131,072 characters",
    ),
    "parquet, a caption that is a record": (
        "a.parquet",
        parquet(image=["a"], caption=[{"said": "x"}]),
        "a caption is not text but \"{'said': 'x'}\"",
    ),
    "tar, two of one name": (
        "a.tar",
        shard(("a.jpg", b"x"), ("a.jpg", b"y")),
        "holds two files named 'a.jpg'",
    ),
    "tar, captions not UTF-8": (
        "a.tar",
        shard(("a.jpg", b"x"), ("a.txt", b"x\xff")),
        "a.tar/a.txt: byte 1 is not UTF-8",
    ),
    "tar, captions not JSON": ("a.tar", shard(("a.jpg", b"x"), ("a.json", b"{")), "a.tar/a.json:1: not JSON"),
    "tar, no pictures": ("a.tar", shard(("a.txt", b"x")), "holds no pictures (read as webdataset)"),
    "a kind of file that is none": (
        "a.docx",
        b"PK",
        "is no data set that leyenda knows: a file ending in .docx",
    ),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_broken_file(case: str, tmp_path: Path) -> None:
    name, content, message = BROKEN_FILES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_examples(tmp_path / name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


CSV = "image,caption\na.jpg,x\n"

BROKEN_FOLDERS: dict[str, tuple[dict[str, str], str]] = {
    "empty": ({}, "is no data set that leyenda knows: the folder is empty. Looked for: "),
    "pictures alone": ({"a.jpg": "x", "b.jpg": "y", "c.md": ""}, "found 2 .jpg, 1 .md. Looked for: "),
    "two tables": (
        {"a.csv": CSV, "b.csv": CSV},
        "holds several tables: a.csv, b.csv. Give the path of one",
    ),
    "metadata without a file name": (
        {"metadata.csv": "id,text\n1,x\n"},
        "Name it with --image-column NAME",
    ),
    "captions of two pictures": (
        {"a.jpg": "x", "a.png": "y", "a.txt": "z"},
        "the captions 'a.txt' could belong to 'a.jpg' and to 'a.png'. Name them after the whole file: a.jpg.txt",
    ),
    "captions of two kinds": (
        {"a.jpg": "x", "a.txt": "y", "a.caption": "z"},
        "has captions in several files, txt and caption. Choose one with --caption-column txt",
    ),
    "saved dataset without state": (
        {"dataset_dict.json": '{"splits": ["train"]}', "train/x": "y"},
        "train is not a whole saved dataset: there is no state.json",
    ),
    "saved dataset without its data": (
        {"state.json": '{"_data_files": [{"filename": "data.arrow"}]}'},
        "is not a whole saved dataset: there is no data.arrow",
    ),
    "saved dataset of broken Arrow": (
        {"state.json": '{"_data_files": [{"filename": "data.arrow"}]}', "data.arrow": "none"},
        "data.arrow is not a whole Arrow file",
    ),
    "picture in two lists of flickr8k": (
        {
            "F.token.txt": "a.jpg#0\tx\n",
            "F.trainImages.txt": "a.jpg\n",
            "F.testImages.txt": "a.jpg\n",
        },
        "'a.jpg' is in the list of train as well",
    ),
}


@pytest.mark.parametrize("case", BROKEN_FOLDERS)
def test_broken_folder(case: str, tmp_path: Path) -> None:
    files, message = BROKEN_FOLDERS[case]
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as caught:
        load_examples(tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_name_for_two_pictures_names_both_shards(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.tar").write_bytes(shard(("000.jpg", b"%d" % number), ("000.txt", b"x")))
    with pytest.raises(DataError, match=r"'000.jpg': \S*/0.tar/000.txt:1 and \S*/1.tar/000.txt:1\."):
        load_examples(tmp_path)


WRONG_ARGUMENTS: dict[str, tuple[str, dict[str, object], str]] = {
    "no such path": ("nothing.csv", {}, "There is no file or folder"),
    "a name that no file has": ("a" * 5000, {}, "cannot be read: File name too long"),
    "no such shard": ("a-{00..01}.tar", {}, "There is no shard"),
    "backward range": ("a-{03..01}.tar", {}, "runs backwards"),
    "unknown format": ("a.csv", {"format": "cocoa"}, "There is no data format 'cocoa'. Did you mean 'coco'?"),
    "another format": ("a.csv", {"format": "coco"}, "a.csv:1: not JSON"),
    "another format, of folders": (
        "a.csv",
        {"format": "sidecar"},
        "is not a folder of pictures and caption files",
    ),
    "unknown column": (
        "a.csv",
        {"caption_column": "captoin"},
        "no column 'captoin'. Did you mean 'caption'?",
    ),
    "unlike any column": (
        "a.csv",
        {"image_column": "zzz"},
        "no column 'zzz'. The columns are: image, caption.",
    ),
    "no picture folder": ("a.csv", {"image_root": "/no/such/folder"}, "There is no folder '/no/such/folder'"),
    "revision of a file": ("a.csv", {"revision": "main"}, "--revision means nothing for the format 'csv'"),
    "column of a folder": (
        ".",
        {"format": "coco", "caption_column": "x"},
        "--caption-column means nothing for",
    ),
}


@pytest.mark.parametrize("case", WRONG_ARGUMENTS)
def test_wrong_argument(case: str, tmp_path: Path) -> None:
    name, options, message = WRONG_ARGUMENTS[case]
    (tmp_path / "a.csv").write_text(CSV)
    with pytest.raises(DataError) as caught:
        load_examples(f"{tmp_path}/{name}", **options)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_hub_id_without_a_hub_names_the_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HubError, match=r"The Hub cannot be reached to read 'owner/name'.* HF_HUB_OFFLINE"):
        load_examples("owner/name")


def test_a_missing_file_of_a_folder_that_exists_is_no_hub_id(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="There is no file or folder 'data/birds'"):
        load_examples("data/birds")
