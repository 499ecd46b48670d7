"""Every kind of file: exiftool reads every field, and nothing else in the file has changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.exiftool import tags
from tests.fakes.picture_files import FILES, compressed_pixels, every_frame, tiff

from leyenda.metadata import (
    Description,
    embed_description,
    read_description,
    read_xmp,
    remove_description,
    restore_description,
    write_xmp,
)

TEXTS = Description(
    'A "dog" & a <cat> 😀 run.\nUn año.',
    "A dog and a cat run.",
    "A long description. " * 40,
    "en-US",
    "microsoft/git-base-coco",
    ai_generated=True,
)
FIELDS = {
    "XMP-dc:Description": TEXTS.description,
    "XMP-dc:Description-en-US": TEXTS.description,
    "XMP-iptcCore:AltTextAccessibility": TEXTS.alt_text,
    "XMP-iptcCore:AltTextAccessibility-en-US": TEXTS.alt_text,
    "XMP-iptcCore:ExtDescrAccessibility": TEXTS.extended_description,
    "XMP-iptcCore:ExtDescrAccessibility-en-US": TEXTS.extended_description,
    "XMP-photoshop:CaptionWriter": "leyenda (AI-generated): microsoft/git-base-coco",
    "XMP-leyenda:DescriptionAIGenerated": True,
    "XMP-leyenda:DescriptionModel": "microsoft/git-base-coco",
    "XMP-leyenda:DescriptionFields": "description alt_text extended_description",
    "XMP-leyenda:DescriptionLanguages": "en-US",
}
ABOUT_THE_FILE = ("System:", "SourceFile", "XMP-leyenda:DescriptionDigest", "XMP-x:XMPToolkit")
HAS_TO_CHANGE = {
    "jpg": {"MPImage1:MPImageLength", "MPImage2:MPImageStart", "MPImage3:MPImageStart"},
    "webp": {"File:FileType", "RIFF:WebP_Flags"},
    "btf": {"IFD0:ApplicationNotes"},  # the packet once more, as it stands in the file
}
"""By a file's ending: what says that there is XMP, and where the pictures behind it begin."""


def fingerprint(data: bytes) -> str:
    """Equal for equal files; unlike the files, quickly shown when they differ."""
    return hashlib.sha256(data).hexdigest()


every_file = pytest.mark.parametrize("name", FILES)


@pytest.fixture(scope="module")
def originals() -> dict[str, bytes]:
    return {name: make() for name, (_, make) in FILES.items()}


@pytest.fixture(scope="module")
def read(
    originals: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """What exiftool reads from each file before and after."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for number, (name, data) in enumerate(originals.items()):
        for moment, content in (("before", data), ("after", embed_description(data, TEXTS))):
            paths.append(folder / f"{number:02}-{moment}.{FILES[name][0]}")
            paths[-1].write_bytes(content)
    found = tags(paths)
    assert len(found) == 2 * len(originals)
    return {name: found[2 * number : 2 * number + 2] for number, name in enumerate(originals)}


@every_file
def test_exiftool_shows_every_field(name, read):
    _, after = read[name]
    assert {tag: after.get(tag) for tag in FIELDS} == FIELDS
    assert "ExifTool:Error" not in after


@every_file
def test_all_other_metadata_stays(name, read):
    before, after = (
        {
            tag: value
            for tag, value in found.items()
            if tag not in FIELDS and not tag.startswith(ABOUT_THE_FILE)
        }
        for found in read[name]
    )
    changed = {tag for tag in before.keys() | after.keys() if before.get(tag) != after.get(tag)}
    assert changed <= HAS_TO_CHANGE.get(FILES[name][0], set())


@every_file
def test_not_a_pixel_changes(name, originals):
    data = originals[name]
    described = embed_description(data, TEXTS)
    assert compressed_pixels(described) == compressed_pixels(data) != []
    assert every_frame(described) == every_frame(data) != []


@every_file
def test_it_is_read_back(name, originals):
    described = embed_description(originals[name], TEXTS)
    assert read_description(described) == TEXTS
    assert fingerprint(embed_description(described, TEXTS)) == fingerprint(described)


@every_file
def test_it_can_be_undone(name, originals):
    data = originals[name]
    previous, packet = read_description(data), read_xmp(data)
    described = embed_description(data, TEXTS)
    assert fingerprint(restore_description(described, previous)) == fingerprint(write_xmp(described, packet))
    assert every_frame(restore_description(described, previous)) == every_frame(data)
    if name not in ("compressed xmp", "tiff xmp"):  # unpacked, or moved to the end of the file
        assert fingerprint(restore_description(described, previous)) == fingerprint(data)
    again = embed_description(described, replace(TEXTS, description="Another.", language="fr", writer="m2"))
    assert read_description(restore_description(again, previous)) == previous
    assert fingerprint(restore_description(again, TEXTS)) == fingerprint(described)


@every_file
def test_removing_what_is_not_there_changes_nothing(name, originals):
    data = originals[name] if "xmp" not in name else remove_description(originals[name])
    assert fingerprint(remove_description(data)) == fingerprint(data)
    assert (read_description(data) or Description()).description in (None, "Ein Hund")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("tiled", [False, True])
def test_in_a_tiff_nothing_moves(order, big, tiled):
    data = tiff(order, big=big, tiled=tiled, odd=True)
    described = embed_description(data, TEXTS)
    head = 16 if big else 8
    assert described[head : len(data)] == data[head:]
    assert read_description(described) == TEXTS
    assert remove_description(described) == data


@pytest.mark.parametrize("name", ["several pictures", "index before xmp"])
def test_further_pictures_are_found_by_their_index(name, originals, read):
    """Where exiftool, which follows the index, finds each picture, the picture that was put in begins and ends."""
    data = originals[name]
    files = (data, embed_description(data, TEXTS))
    for group in ("MPImage2", "MPImage3"):
        before, after = (
            content[found[f"{group}:MPImageStart"] :][: found[f"{group}:MPImageLength"]]
            for content, found in zip(files, read[name], strict=True)
        )
        assert before == after
        assert before[:2] + before[-2:] == b"\xff\xd8\xff\xd9"


@every_file
def test_a_file_does_not_grow_with_each_run(name, originals):
    data = once = embed_description(originals[name], TEXTS)
    for number in range(6):
        data = embed_description(data, replace(TEXTS, description="dog " * (10 - number), language="en-US"))
    assert len(data) <= len(once) + 64
    assert every_frame(data) == every_frame(originals[name])


def test_real_photographs(shared: Path, tmp_path: Path):
    chosen = sorted((shared / "data/flickr8k-800/Images").iterdir())[::40]
    for path in chosen:
        data = path.read_bytes()
        described = embed_description(data, TEXTS)
        (tmp_path / path.name).write_bytes(described)
        assert compressed_pixels(described) == compressed_pixels(data)
        assert every_frame(described) == every_frame(data)
        assert remove_description(described) == data
    for before, after in zip(tags(chosen), tags(tmp_path / path.name for path in chosen), strict=True):
        assert {tag: after.get(tag) for tag in FIELDS} == FIELDS
        assert after.get("ExifTool:Validate") == before.get("ExifTool:Validate")
        assert after.get("ExifTool:Warning") == before.get("ExifTool:Warning")
