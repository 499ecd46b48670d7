"""What a person wrote inside a picture stays, and stays the person's."""

from __future__ import annotations

import pytest
from PIL import Image
from tests.fakes.exiftool import tags
from tests.fakes.picture_files import with_keywords
from tests.volume.conftest import draw
from tests.volume.kill_many import everything_in

from leyenda.metadata import Description, embed_description, read_description, read_marks

RECORD = "leyenda-captions.jsonl"
JANE = Description("Luna at the lake.", writer="Jane Doe")


@pytest.fixture
def jane(photos):
    """A picture that Jane Doe described."""
    path = photos / "b.jpg"
    path.write_bytes(embed_description(path.read_bytes(), JANE))
    return path


def exif_described(path, text, make="Camera Works"):
    """The picture with an Exif description."""
    with Image.open(path) as picture:
        exif = picture.getexif()
        exif[270], exif[271] = text, make
        picture.save(path, exif=exif)
    return path


@pytest.mark.parametrize("place", ["iptc", "exif"])
def test_a_caption_from_before_xmp_is_a_caption(caption, photos, place):
    if place == "iptc":
        (photos / "b.jpg").write_bytes(with_keywords((photos / "b.jpg").read_bytes(), b"Grandma 1962"))
    else:
        exif_described(photos / "b.jpg", "Grandma 1962")
    before = (photos / "b.jpg").read_bytes()
    code, _, err = caption("photos", "--to", "metadata")
    assert code == 0
    assert "6 pictures: 5 captioned, 1 had a caption" in err
    assert (photos / "b.jpg").read_bytes() == before
    new = caption(photos / "b.jpg")[1].strip()
    assert caption("photos", "--to", "metadata", "--existing", "append")[0] == 0
    found = read_description((photos / "b.jpg").read_bytes())
    assert found.description == f"Grandma 1962 {new}"
    assert found.alt_text == new
    assert not found.ai_generated
    assert found.writer is None
    assert caption("--undo", "photos")[0] == 0
    assert (photos / "b.jpg").read_bytes() == before


def test_what_a_camera_writes_into_each_picture_is_no_caption(caption, photos):
    exif_described(photos / "b.jpg", "OLYMPUS DIGITAL CAMERA", "OLYMPUS IMAGING CORP.")
    exif_described(draw(photos / "g.jpg", 8), "SONY DSC", "SONY")
    assert caption("photos", "--to", "metadata")[0] == 0
    assert read_description((photos / "b.jpg").read_bytes()).ai_generated
    assert read_description((photos / "g.jpg").read_bytes()).ai_generated


@pytest.mark.parametrize("way", ["append", "prepend"])
def test_words_that_are_joined_to_a_person_s_do_not_make_them_a_machine_s(caption, photos, jane, way):
    before = everything_in(photos)
    new = caption(jane)[1].strip()
    assert caption("photos", "--to", "metadata", "--existing", way)[0] == 0
    (found,) = tags([jane])
    whole = {"append": f"{JANE.description} {new}", "prepend": f"{new} {JANE.description}"}[way]
    assert found["XMP-dc:Description"] == whole
    assert found["XMP-photoshop:CaptionWriter"] == "Jane Doe"
    assert found["XMP-leyenda:DescriptionFields"] == "alt_text extended_description"
    assert found["XMP-iptcCore:AltTextAccessibility"] == new
    assert not read_description(jane.read_bytes()).ai_generated
    (other,) = tags([photos / "a.png"])
    assert other["XMP-leyenda:DescriptionFields"] == "description alt_text extended_description"
    assert other["XMP-photoshop:CaptionWriter"].startswith("leyenda (AI-generated)")
    assert caption("--undo", "photos")[0] == 0
    assert {name: data for name, data in everything_in(photos).items() if name != RECORD} == before


def test_where_all_words_are_a_person_s_nothing_is_marked(caption, jane):
    own = Description("Luna at the lake.", "A dog.", "A wet dog.", writer="Jane Doe")
    jane.write_bytes(embed_description(jane.read_bytes(), own))
    assert caption(jane, "--to", "metadata", "--existing", "append")[0] == 0
    assert read_marks(jane.read_bytes()) == {}
    assert read_description(jane.read_bytes()).writer == "Jane Doe"


def test_the_mark_of_what_was_joined_before_comes_back(caption, photos, jane):
    assert caption("photos", "--to", "metadata", "--existing", "append")[0] == 0
    before = {name: read_marks((photos / name).read_bytes()) for name in ("a.png", "b.jpg")}
    texts = read_description(jane.read_bytes())
    assert caption("photos", "--to", "metadata", "--existing", "prepend")[0] == 0
    assert read_description(jane.read_bytes()) != texts
    assert read_marks(jane.read_bytes())["DescriptionFields"] == "alt_text extended_description"
    assert caption("--undo", "photos")[0] == 0
    assert {name: read_marks((photos / name).read_bytes()) for name in before} == before
    assert read_description(jane.read_bytes()) == texts


def test_a_person_s_words_that_are_overwritten_come_back(caption, photos, jane):
    before = jane.read_bytes()
    assert caption("photos", "--to", "metadata", "--existing", "overwrite")[0] == 0
    found = read_description(jane.read_bytes())
    assert found.ai_generated
    assert JANE.description not in found.description
    assert caption("--undo", "photos")[0] == 0
    assert jane.read_bytes() == before


def test_an_alt_text_alone_is_joined_and_taken_back(caption, photos):
    path = photos / "b.jpg"
    path.write_bytes(embed_description(path.read_bytes(), Description(alt_text="A dog.")))
    before = path.read_bytes()
    new = caption(path)[1].strip()
    assert caption("photos", "--to", "metadata", "--existing", "append")[0] == 0
    found = read_description(path.read_bytes())
    assert (found.description, found.alt_text) == (new, f"A dog. {new}")
    assert read_marks(path.read_bytes())["DescriptionFields"] == "description extended_description"
    code, _, err = caption("--undo", "photos")
    assert (code, err) == (0, "Taken back: 6 of 6.\n")
    assert path.read_bytes() == before
