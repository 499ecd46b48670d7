"""The same fifty pictures written in every format, by libraries that are not ours, are the same Examples."""

from __future__ import annotations

import csv
import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from leyenda.data import FORMATS, Examples, convert, load_examples
from leyenda.data.cache import cache_folder
from leyenda.data.check import check
from leyenda.records import Example, ImageSource

WORDS = [
    *("a", "small", "brown", "dog", "runs", "over", "wet", "green", "grass", "near", "an", "old", "house"),
    *("ñandú", "café", "犬", '"quoted"', "it's", "3,", "four;"),
]
SPLITS = ["train"] * 7 + ["validation"] + ["test"] * 2


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """JPEG and PNG pictures, some in folders, some with spaces and letters beyond ASCII; one to five captions."""
    folder = tmp_path_factory.mktemp("fifty")
    chance = random.Random(7)
    examples = []
    for number in range(50):
        ending = ".png" if number % 3 == 0 else ".jpg"
        stem = ["plain", "with space", "ñandú", "犬-и-кот", "dot.v1.2"][number % 5]
        name = f"{'birds/' if number % 4 == 0 else ''}{stem} {number:02}{ending}"
        (folder / name).parent.mkdir(exist_ok=True)
        Image.effect_noise((9 + number, 12), 40 + number).save(folder / name)
        captions = tuple(" ".join(chance.sample(WORDS, 6)) for _ in range(1 + number % 5))
        image = ImageSource(str(folder / name))
        examples.append(Example(name, image, captions, SPLITS[number % 10]))
    return Examples.from_rows(examples, str(folder))


def as_known(examples: Examples) -> dict[str, tuple[tuple[str, ...], str | None, str]]:
    return {each.id: (each.captions, each.split, each.fingerprint()) for each in examples}


def put_pictures(examples: Examples, folder: Path) -> None:
    for example in examples:
        target = folder / example.id
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(example.image.path).read_bytes())


def by_split(examples: Examples) -> dict[str, list[Example]]:
    return {split: list(examples.split(split)) for split in examples.splits()}


def write_csv_rows(examples: Examples, folder: Path, delimiter: str = ",", ending: str = ".csv") -> None:
    put_pictures(examples, folder)
    with open(folder / f"anything{ending}", "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["filename", "caption", "split"])
        writer.writerows([each.id, text, each.split] for each in examples for text in each.captions)


def write_csv_with_bars(examples: Examples, folder: Path) -> None:
    """As Flickr30k ships: a bar, a space, a number that says nothing."""
    put_pictures(examples, folder / "flickr30k_images")
    lines = ["image_name| comment_number| comment| split\n"]
    for each in examples:
        quoted = [text.replace('"', '""') for text in each.captions]
        lines += [f'{each.id}| {number}|"{text}"| {each.split}\n' for number, text in enumerate(quoted)]
    (folder / "results.csv").write_text("".join(lines), encoding="utf-8")


def write_csv_json_lists(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder / "images")
    with open(folder / "captions.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "raw", "split"])
        writer.writerows([each.id, json.dumps(each.captions), each.split] for each in examples)


def write_csv_numbered_columns(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    with open(folder / "captions.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["image", "split", *(f"caption_{number}" for number in range(5))])
        writer.writeheader()
        for each in examples:
            numbered = {f"caption_{number}": text for number, text in enumerate(each.captions)}
            writer.writerow({"image": each.id, "split": each.split, **numbered})


def write_csv_file_per_split(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    for split, part in by_split(examples).items():
        with open(folder / f"{split}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "caption"])
            writer.writerows([each.id, text] for each in part for text in each.captions)


def write_jsonl_rows(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    with open(folder / "captions.jsonl", "w", encoding="utf-8") as file:
        for each in examples:
            for text in each.captions:
                file.write(json.dumps({"image_path": each.id, "text": text, "split": each.split}) + "\n")


def write_json_list(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    rows = [{"image": each.id, "captions": each.captions, "split": each.split} for each in examples]
    (folder / "all.json").write_text(json.dumps(rows, indent=1))


def write_imagefolder_top(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    with open(folder / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "text", "split"])
        writer.writerows([each.id, text, each.split] for each in examples for text in each.captions)


def write_csv_from_a_spreadsheet(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    with open(folder / "book.csv", "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["", "File Name", "Caption Text", "Split"])
        writer.writerows(
            [number, each.id, text, each.split]
            for number, each in enumerate(examples)
            for text in each.captions
        )


def write_imagefolder_splits(examples: Examples, folder: Path, ending: str = "jsonl") -> None:
    for split, part in by_split(examples).items():
        put_pictures(examples.split(split), folder / split)
        rows = [{"file_name": each.id, "captions": list(each.captions)} for each in part]
        if ending == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), folder / split / "metadata.parquet")
        else:
            (folder / split / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_sidecars(examples: Examples, folder: Path, ending: str = ".txt", whole_name: bool = False) -> None:
    for split, part in by_split(examples).items():
        put_pictures(examples.split(split), folder / split)
        for each in part:
            picture = folder / split / each.id
            beside = Path(f"{picture}{ending}") if whole_name else picture.with_suffix(ending)
            beside.write_text("\n".join(each.captions) + "\n\n", encoding="utf-8")


def write_parquet_bytes(examples: Examples, folder: Path) -> None:
    rows = [
        {
            "picture": each.image.read(),
            "file_name": each.id,
            "caption": list(each.captions),
            "split": each.split,
        }
        for each in examples
    ]
    pq.write_table(
        pa.Table.from_pylist(rows), folder / "pictures.parquet", row_group_size=7, compression="zstd"
    )


def write_parquet_structs_repeated(examples: Examples, folder: Path) -> None:
    (folder / "data").mkdir()
    for split, part in by_split(examples).items():
        rows = [
            {"image": {"bytes": each.image.read(), "path": each.id}, "text": text}
            for each in part
            for text in each.captions
        ]
        pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{split}-00000-of-00001.parquet")


def write_parquet_paths(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder)
    rows = [{"image": each.id, "captions": list(each.captions), "split": each.split} for each in examples]
    pq.write_table(pa.Table.from_pylist(rows), folder / "paths.parquet")


def write_parquet_views(examples: Examples, folder: Path) -> None:
    """Values that need not lie one behind the other, as newer writers have them."""
    columns = {
        "image": pa.array([each.image.read() for each in examples], pa.binary_view()),
        "file_name": pa.array([each.id for each in examples], pa.string_view()),
        "captions": pa.array([list(each.captions) for each in examples], pa.large_list(pa.large_string())),
        "split": pa.array([each.split for each in examples]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), folder / "views.parquet")


def write_coco(examples: Examples, folder: Path) -> None:
    (folder / "annotations").mkdir()
    for split, part in by_split(examples).items():
        stem = {"train": "train2017", "validation": "val2017", "test": "test2017"}[split]
        put_pictures(examples.split(split), folder / "images" / stem)
        images = [{"id": number * 10, "file_name": each.id, "height": 1} for number, each in enumerate(part)]
        notes = [
            {"image_id": number * 10, "id": 100 * number + index, "caption": f"  {text}\n"}
            for number, each in enumerate(part)
            for index, text in enumerate(each.captions)
        ]
        document = {"info": {"year": 2017}, "licenses": [], "images": images, "annotations": notes}
        (folder / "annotations" / f"captions_{stem}.json").write_text(json.dumps(document))
        # The outlines of the same pictures, as COCO ships them, are not captions.
        outlines = {**document, "annotations": [{"image_id": 0, "id": 1, "segmentation": []}]}
        (folder / "annotations" / f"instances_{stem}.json").write_text(json.dumps(outlines))


def write_karpathy(examples: Examples, folder: Path) -> None:
    put_pictures(examples, folder / "images")
    words = {"train": ["train", "restval"], "validation": ["val"], "test": ["test"]}
    images = []
    for number, each in enumerate(examples):
        below, _, name = each.id.rpartition("/")
        image = {
            "sentids": [number],
            "imgid": number,
            "sentences": [{"tokens": text.split(), "raw": text} for text in each.captions],
            "split": words[each.split][number % len(words[each.split])],
            "filename": name,
        }
        images.append(image | ({"filepath": below} if below else {}))
    (folder / "dataset_fifty.json").write_text(json.dumps({"images": images, "dataset": "fifty"}))


def write_flickr8k(examples: Examples, folder: Path) -> None:
    (folder / "Flickr8k_text").mkdir()
    put_pictures(examples, folder / "Flicker8k_Dataset")
    text = folder / "Flickr8k_text"
    lines = [
        f"{each.id}#{number}\t{said}\n" for each in examples for number, said in enumerate(each.captions)
    ]
    (text / "Flickr8k.token.txt").write_text("".join(lines), encoding="utf-8")
    (text / "Flickr8k.lemma.token.txt").write_text("x.jpg#0\tlemma\n")
    lists = {"train": "trainImages", "validation": "devImages", "test": "testImages"}
    for split, name in lists.items():
        ids = [each.id for each in examples.split(split)]
        (text / f"Flickr_8k.{name}.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")


def add_member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def write_webdataset(
    examples: Examples,
    folder: Path,
    ending: str = ".txt",
    tar_format: int = tarfile.GNU_FORMAT,
    compression: str = "",
) -> None:
    for split, part in by_split(examples).items():
        for shard in range(2):
            name = f"{split}-{shard:05}.tar" + (compression and f".{compression}")
            with tarfile.open(folder / name, f"w:{compression}", format=tar_format) as tar:
                for each in part[shard::2]:
                    add_member(tar, f"./{each.id}", each.image.read())
                    said = (
                        "\n".join(each.captions)
                        if ending == ".txt"
                        else json.dumps({"caption": each.captions})
                    )
                    add_member(tar, f"./{Path(each.id).with_suffix(ending)}", said.encode())


def write_saved_dataset_dict(examples: Examples, folder: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        image=datasets.Image(), file_name=datasets.Value("string"), text=[datasets.Value("string")]
    )
    parts = {
        split: datasets.Dataset.from_dict(
            {
                "image": [each.image.path for each in part],
                "file_name": [each.id for each in part],
                "text": [list(each.captions) for each in part],
            },
            features,
        )
        for split, part in by_split(examples).items()
    }
    datasets.DatasetDict(parts).save_to_disk(str(folder), num_shards=dict.fromkeys(parts, 2))


def write_saved_dataset(examples: Examples, folder: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {
        "image": [{"bytes": each.image.read(), "path": each.id} for each in examples],
        "file_name": [each.id for each in examples],
        "split": [each.split for each in examples],
        **{
            f"caption_{number}": [dict(enumerate(each.captions)).get(number) for each in examples]
            for number in range(5)
        },
    }
    datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image()).save_to_disk(str(folder))


WRITERS: dict[str, Callable[[Examples, Path], None]] = {
    "csv, a row a caption": write_csv_rows,
    "csv with semicolons": lambda examples, folder: write_csv_rows(examples, folder, ";"),
    "csv with bars": write_csv_with_bars,
    "csv from a spreadsheet": write_csv_from_a_spreadsheet,
    "csv, JSON lists": write_csv_json_lists,
    "csv, numbered columns": write_csv_numbered_columns,
    "csv, a file a split": write_csv_file_per_split,
    "tsv": lambda examples, folder: write_csv_rows(examples, folder, "\t", ".tsv"),
    "jsonl, a row a caption": write_jsonl_rows,
    "a JSON list": write_json_list,
    "imagefolder, metadata.csv on top": write_imagefolder_top,
    "imagefolder, metadata.jsonl a split": write_imagefolder_splits,
    "imagefolder, data/train/metadata.jsonl": lambda examples, folder: write_imagefolder_splits(
        examples, folder / "data"
    ),
    "imagefolder, metadata.parquet": lambda examples, folder: write_imagefolder_splits(
        examples, folder, "parquet"
    ),
    "sidecar .txt": write_sidecars,
    "sidecar .caption": lambda examples, folder: write_sidecars(examples, folder, ".caption"),
    "sidecar a.jpg.txt": lambda examples, folder: write_sidecars(examples, folder, ".txt", True),
    "parquet of bytes": write_parquet_bytes,
    "parquet of structs, repeated": write_parquet_structs_repeated,
    "parquet of paths": write_parquet_paths,
    "parquet of views": write_parquet_views,
    "coco": write_coco,
    "karpathy": write_karpathy,
    "flickr8k": write_flickr8k,
    "webdataset": write_webdataset,
    "webdataset of .json, pax": lambda examples, folder: write_webdataset(
        examples, folder, ".json", tarfile.PAX_FORMAT
    ),
    "webdataset, gzip": lambda examples, folder: write_webdataset(examples, folder, compression="gz"),
    "webdataset, xz": lambda examples, folder: write_webdataset(examples, folder, ".json", compression="xz"),
    "saved DatasetDict": write_saved_dataset_dict,
    "saved Dataset": write_saved_dataset,
}


@pytest.mark.parametrize("writer", WRITERS)
def test_the_same_fifty_pictures_are_identical_examples(fifty: Examples, writer: str, tmp_path: Path) -> None:
    WRITERS[writer](fifty, tmp_path)
    assert as_known(load_examples(tmp_path)) == as_known(fifty)


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if each.write])
def test_convert_writes_every_format_with_identical_examples(
    fifty: Examples, name: str, tmp_path: Path
) -> None:
    said = convert(fifty, tmp_path / "out", name)
    assert (said.images, said.splits) == (50, fifty.splits())
    assert as_known(load_examples(tmp_path / "out")) == as_known(fifty), "found without naming the format"
    assert as_known(load_examples(tmp_path / "out", format=name)) == as_known(fifty)
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing else is left behind"


def test_formats_written_in_order_keep_the_order(fifty: Examples, tmp_path: Path) -> None:
    for name in ("csv", "tsv", "jsonl", "karpathy", "flickr8k"):
        convert(fifty, tmp_path / name, name)
        assert load_examples(tmp_path / name) == fifty


@pytest.mark.parametrize("name", ["saved-dataset", "parquet", "imagefolder"])
def test_datasets_reads_what_convert_writes(
    fifty: Examples, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    convert(fifty, tmp_path / "out", name)
    if name == "saved-dataset":
        read = datasets.load_from_disk(str(tmp_path / "out"))
    else:
        read = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(read[split]) for split in read} == fifty.splits()
    first = read["test"][0]
    known = {each.id: each for each in fifty} | {each.id.rpartition("/")[2]: each for each in fifty}
    named = first.get("file_name") or Path(first["image"].filename).name
    assert tuple(first["captions"]) == known[named].captions
    assert first["image"].size == Image.open(known[named].image.path).size


def test_flickr8k_as_its_public_copies_ship_it(shared: Path) -> None:
    folder = shared / "data" / "flickr8k-800"
    examples = load_examples(folder)
    assert len(examples) == 800
    assert len(examples.captions()) == 4000
    assert load_examples(folder / "captions.txt") == examples
    with open(folder / "captions.txt", newline="") as file:
        rows = list(csv.DictReader(file))
    last = [row["caption"].strip() for row in rows if row["image"] == rows[-1]["image"]]
    assert (examples[-1].id, list(examples[-1].captions)) == (rows[-1]["image"], last)
    assert examples[0].image.read()[:3] == b"\xff\xd8\xff"


def test_brace_pattern_reads_only_the_shards_it_names(fifty: Examples, tmp_path: Path) -> None:
    write_webdataset(fifty, tmp_path)
    pattern = load_examples(str(tmp_path / "train-{00000..00001}.tar"))
    assert as_known(pattern) == as_known(fifty.split("train"))
    assert load_examples(str(tmp_path / "{test,validation}-00000.tar")).splits() == {
        "validation": 3,
        "test": 5,
    }


def test_pictures_without_a_name_are_named_by_their_bytes(fifty: Examples, tmp_path: Path) -> None:
    import hashlib

    rows = [{"image": each.image.read(), "caption": list(each.captions)} for each in fifty]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for example, known in zip(load_examples(tmp_path / "a.parquet"), fifty, strict=True):
        digest = hashlib.sha256(known.image.read()).hexdigest()[:16]
        assert example.id == digest + known.id[-4:]
        assert example.image.read() == known.image.read()


def test_saved_dataset_pictures_are_read_where_they_lie(
    fifty: Examples, tmp_path: Path, isolated_home: Path
) -> None:
    write_saved_dataset_dict(fifty, tmp_path)
    for example in load_examples(tmp_path):
        assert example.image.path.endswith(".arrow")
    assert sum(file.stat().st_size for file in isolated_home.rglob("pictures.bin")) == 0


def test_a_picture_beside_another_of_the_same_stem_needs_a_whole_name(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        (tmp_path / name).write_bytes(name.encode())
        (tmp_path / f"{name}.txt").write_text(f"caption of {name}")
    examples = load_examples(tmp_path)
    assert {each.id: each.captions for each in examples} == {
        "a.jpg": ("caption of a.jpg",),
        "a.png": ("caption of a.png",),
    }
    convert(examples, tmp_path / "out", "sidecar")
    assert as_known(load_examples(tmp_path / "out")) == as_known(examples)


def test_a_picture_without_captions_stays_visible(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "a.txt").write_text("a dog")
    (tmp_path / "b.jpg").write_bytes(b"b")
    (tmp_path / "c.jpg").write_bytes(b"c")
    (tmp_path / "c.txt").write_text("\n \n")
    assert [(each.id, each.captions) for each in load_examples(tmp_path)] == [
        ("a.jpg", ("a dog",)),
        ("b.jpg", ()),
        ("c.jpg", ("",)),
    ]


def test_captions_of_both_kinds_beside_a_picture_are_chosen_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "a.txt").write_text("dog, grass, running")
    (tmp_path / "a.caption").write_text("A dog runs over the grass.")
    assert load_examples(tmp_path, caption_column="caption")[0].captions == ("A dog runs over the grass.",)
    assert load_examples(tmp_path, caption_column="txt")[0].captions == ("dog, grass, running",)


def test_img2dataset_shards_take_the_text_and_not_the_facts(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "00000.tar", "w") as tar:
        add_member(tar, "000000000.jpg", b"picture")
        add_member(tar, "000000000.json", json.dumps({"caption": "fact", "url": "x"}).encode())
        add_member(tar, "000000000.txt", b"a dog")
    assert load_examples(tmp_path)[0].captions == ("a dog",)
    assert load_examples(tmp_path, caption_column="json")[0].captions == ("fact",)


def test_rows_tell_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('image,caption\nx.jpg,"one\ntwo"\n\ny.jpg,three\nx.jpg,\n,no picture\n')
    examples = load_examples(tmp_path / "a.csv")
    assert [(each.id, each.captions, each.origin.line) for each in examples] == [
        ("x.jpg", ("one\ntwo", ""), 2),
        ("y.jpg", ("three",), 5),
        ("a.csv:7", ("no picture",), 7),
    ]
    assert examples.caption_origin(0, 1).line == 6
    assert examples[2].image.path == ""


def test_columns_are_found_by_their_usual_names_or_by_the_users(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("id,img,titulo,Text\n1,a.jpg,Un perro,A dog\n")
    assert load_examples(table)[0].captions == ("A dog",)
    assert load_examples(table, caption_column="titulo", image_column="img")[0].captions == ("Un perro",)


def test_a_comment_beside_a_caption_is_no_caption(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,caption,comment\na.jpg,a dog,blurred\n")
    assert load_examples(tmp_path / "a.csv")[0].captions == ("a dog",)


def test_a_compressed_shard_is_unpacked_once(fifty: Examples, tmp_path: Path) -> None:
    write_webdataset(fifty, tmp_path, compression="gz")
    first = load_examples(tmp_path)
    made = {path: path.stat().st_mtime_ns for path in cache_folder().rglob("*") if path.is_file()}
    assert load_examples(tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in cache_folder().rglob("*") if path.is_file()} == made
    assert len(made) == len(list(tmp_path.iterdir()))
    assert not check(first).counts().keys() & {"outside_folder", "unreadable_image"}
    assert first[0].origin.file.startswith(str(tmp_path)), "messages name the user's file"


def test_a_name_in_two_splits_gets_its_split_in_front(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "0.jpg").write_bytes(split.encode())
        (tmp_path / split / "metadata.csv").write_text(f"file_name,text\n0.jpg,from {split}\n")
    assert [(each.id, each.captions, each.image.read()) for each in load_examples(tmp_path)] == [
        ("test/0.jpg", ("from test",), b"test"),
        ("train/0.jpg", ("from train",), b"train"),
    ]


def test_a_split_named_in_another_way_is_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "image,caption,split\na.jpg,x,val\nb.jpg,y,Train\nc.jpg,z,\nd.jpg,w,zoo\n"
    )
    examples = load_examples(tmp_path)
    assert examples.splits() == {"train": 1, "validation": 1, "zoo": 1}
    assert examples[2].split is None


def test_pictures_may_lie_in_a_folder_that_the_user_names(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.jpg").write_bytes(b"here")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "a.csv").write_text("image,caption\na.jpg,x\n")
    assert load_examples(tmp_path / "near", image_root=tmp_path / "far")[0].image.read() == b"here"


def test_a_path_that_leaves_the_folder_is_kept_for_the_check(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("image,caption\n../secret.jpg,x\n/etc/passwd,y\n")
    examples = load_examples(tmp_path / "in")
    assert [each.image.path for each in examples] == [f"{tmp_path}/in/../secret.jpg", "/etc/passwd"]
    assert examples.root == str(tmp_path / "in")
