"""XMP that is already there: merged, never harmed; hostile XML is refused."""

from __future__ import annotations

import io
import random
import struct
import time
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.fakes.exiftool import exiftool, tags
from tests.fakes.picture_files import (
    FILES,
    PLAIN_XMP,
    app,
    in_png,
    itxt,
    picture,
    saved,
    with_extended_xmp,
    with_keywords,
)

from leyenda.errors import ImageError, LeyendaError
from leyenda.metadata import (
    Description,
    embed_description,
    read_description,
    read_older_captions,
    read_xmp,
    remove_description,
    restore_description,
    write_xmp,
)

PLAIN = saved(picture(), "JPEG")
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
NEW = Description("A dog.", language="en", writer="m", ai_generated=True)


def jpeg(packet: str | bytes) -> bytes:
    return saved(picture(), "JPEG", xmp=packet if isinstance(packet, bytes) else packet.encode())


def xmp_tags(data: bytes, tmp_path) -> dict:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    found = tags([path])[0]
    assert "ExifTool:Error" not in found
    return {tag: value for tag, value in found.items() if tag.startswith(("XMP", "ExifTool:Warning"))}


def test_other_languages_and_other_properties_stay(tmp_path):
    found = xmp_tags(embed_description(jpeg(PLAIN_XMP), NEW), tmp_path)
    assert found["XMP-dc:Description"] == found["XMP-dc:Description-en"] == "A dog."
    assert found["XMP-dc:Description-es"] == "Un perro"
    assert found["XMP-dc:Description-de-AT"] == "Ein Hund"
    assert found["XMP-xmp:Rating"] == 4
    assert found["XMP-dc:Subject"] == ["dog", "grass"]
    assert found["XMP-iptcExt:LocationShown"] == [{"City": "Lima"}]
    assert found["XMP-shop:Shelf"] == '1 > "2"'
    assert found["XMP-photoshop:CaptionWriter"] == "leyenda (AI-generated): m"


def test_all_bytes_of_a_packet_but_the_changed_values_stay():
    packet = read_xmp(
        embed_description(jpeg(PLAIN_XMP), Description("A <b>.", language="de-at", writer="Eva"))
    )
    expected = PLAIN_XMP.replace(b"Un perro", b"A &lt;b&gt;.", 1).replace(b"Ein Hund", b"A &lt;b&gt;.")
    assert packet == expected.replace(b"Ana &amp; &quot;Bo&quot;", b"Eva")


def test_attributes_that_look_like_others():
    """Tag ends and other attributes inside values, the same local name in two namespaces, both kinds of quotes."""
    photoshop = 'xmlns:p="http://ns.adobe.com/photoshop/1.0/"'
    packet = (
        f"<rdf:RDF {RDF}><rdf:Description {photoshop} xmlns:o='urn:o#' o:a='/> p:CaptionWriter=\"no\"'"
        """ o:CaptionWriter="Ana" p:CaptionWriter = 'Ana' o:b=">"/></rdf:RDF>"""
    )
    assert read_description(jpeg(packet)).writer == "Ana"
    changed = read_xmp(embed_description(jpeg(packet), Description(writer="Eva\n'")))
    assert changed.decode() == packet.replace("= 'Ana'", """= "Eva&#xA;'\"""")
    removed = read_xmp(remove_description(jpeg(packet)))
    assert removed.decode() == packet.replace(" p:CaptionWriter = 'Ana'", "")


def test_texts_that_are_not_given_stay():
    by_hand = Description("Old.", "old alt", "old long", "en", "Ana")
    changed = embed_description(
        embed_description(PLAIN, by_hand), Description(alt_text="new alt", language="en")
    )
    assert read_description(changed) == replace(by_hand, alt_text="new alt")
    assert read_description(embed_description(changed, Description(description=""))).description is None


def test_a_persons_text_beside_a_machines_is_not_called_the_machines():
    by_hand = embed_description(PLAIN, Description(alt_text="by hand", writer="Ana"))
    both = embed_description(by_hand, NEW)
    assert read_description(both).ai_generated is False
    assert read_description(both).alt_text == "by hand"
    only_ours = embed_description(both, Description(alt_text=""))
    assert read_description(embed_description(both, replace(NEW, alt_text="a dog"))).ai_generated is True
    assert read_description(only_ours).alt_text is None


def test_a_text_that_a_person_edits_is_a_persons(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(embed_description(PLAIN, NEW))
    assert read_description(path.read_bytes()).ai_generated is True
    exiftool("-overwrite_original", "-XMP-xmp:Rating=5", str(path))
    assert read_description(path.read_bytes()) == NEW
    exiftool("-overwrite_original", "-XMP-dc:Description=Luna, our dog.", str(path))
    assert read_description(path.read_bytes()).description == "Luna, our dog."
    assert read_description(path.read_bytes()).ai_generated is False


def test_undo_keeps_what_another_program_wrote_meanwhile(tmp_path):
    original = jpeg(PLAIN_XMP)
    previous = read_description(original)
    path = tmp_path / "a.jpg"
    path.write_bytes(embed_description(original, NEW))
    exiftool("-overwrite_original", "-XMP-xmp:Label=Red", str(path))
    found = xmp_tags(restore_description(path.read_bytes(), previous), tmp_path)
    before = xmp_tags(original, tmp_path)
    assert found.pop("XMP-xmp:Label") == "Red"
    assert {tag: value for tag, value in found.items() if "XMPToolkit" not in tag} == {
        tag: value for tag, value in before.items() if "XMPToolkit" not in tag
    }


@pytest.mark.parametrize("name", ["baseline", "little", "lossy", "rgb"])
def test_captions_from_before_xmp_are_found(name, tmp_path):
    ending, make = FILES[name]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(make())
    assert read_older_captions(path.read_bytes()) == {}
    exiftool("-overwrite_original", "-codedcharacterset=utf8", "-EXIF:ImageDescription=SONY", str(path))
    expected = {"exif": "SONY"}
    if ending in ("jpg", "tif"):
        exiftool("-overwrite_original", "-IPTC:Caption-Abstract=Luna, año 1999", str(path))
        expected["iptc"] = "Luna, año 1999"
    described = embed_description(path.read_bytes(), NEW)
    assert read_older_captions(path.read_bytes()) == read_older_captions(described) == expected


def test_a_caption_in_an_old_character_set():
    assert read_older_captions(with_keywords(PLAIN)) == {"iptc": "old caption"}
    assert read_older_captions(with_keywords(PLAIN, b"a\xf1o 1999\r\n")) == {"iptc": "año 1999"}
    with pytest.raises(ImageError):
        read_older_captions(b"words")


def test_extended_xmp_stays(tmp_path):
    data = with_extended_xmp(PLAIN)
    found = xmp_tags(embed_description(data, NEW), tmp_path)
    assert found["XMP-xmp:Label"].startswith("long long")
    assert not any("Warning" in tag for tag in found)


def test_a_description_in_extended_xmp_is_read_and_refused(monkeypatch):
    import tests.fakes.picture_files as files

    extended = files.EXTENDED.replace(
        b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label', f"{DC} dc:description".encode()
    )
    monkeypatch.setattr(files, "EXTENDED", extended)
    monkeypatch.setattr(files, "OTHER_XMP", files.OTHER_XMP.replace("dc:description", "dc:rights"))
    monkeypatch.setattr(
        files, "OTHER_XMP", files.OTHER_XMP.replace("photoshop:CaptionWriter", "photoshop:Headline")
    )
    data = with_extended_xmp(PLAIN)
    assert read_description(data).description.startswith("long long")
    with pytest.raises(ImageError, match="extended XMP") as caught:
        embed_description(data, NEW)
    assert caught.value.code == "metadata"


def rdf(content: str) -> str:
    return f"<rdf:RDF {RDF}>{content}</rdf:RDF>"


def block(content: str) -> str:
    return f"<rdf:Description {DC}><dc:description>{content}</dc:description></rdf:Description>"


def alternatives(items: str) -> str:
    return f"<rdf:Alt>{items}</rdf:Alt>"


SHAPES = {
    "attribute": rdf(f'<rdf:Description rdf:about="" {DC} dc:description="Old."/>'),
    "plain": rdf(block("Old.")),
    "bag": rdf(block("<rdf:Bag><rdf:li>Old.</rdf:li></rdf:Bag>")),
    "empty items": rdf(block(alternatives('<rdf:li xml:lang="x-default"/>'))),
    "empty array": rdf(block("<rdf:Alt/>")),
    "twice": rdf(block(alternatives("<rdf:li>Old.</rdf:li>")) * 2),
    "CDATA": rdf(block(alternatives("<rdf:li><![CDATA[Old.]]></rdf:li>"))),
    "other prefixes": rdf(block(alternatives('<rdf:li xml:lang="X-default">Old.</rdf:li>')))
    .replace("rdf:", "r:")
    .replace("xmlns:rdf", "xmlns:r")
    .replace("dc:", "d:")
    .replace("xmlns:dc", "xmlns:d"),
    "default namespace": rdf(block(alternatives("<rdf:li>Old.</rdf:li>")))
    .replace("xmlns:rdf", "xmlns")
    .replace("rdf:", ""),
    "qualified": rdf(
        block(
            alternatives(
                '<rdf:li xml:lang="x-default" rdf:parseType="Resource"><rdf:value>Old.</rdf:value>'
                "<dc:source>b</dc:source></rdf:li>"
            )
        )
    ),
    "nothing in RDF": f"<rdf:RDF {RDF}/>",
    "empty block": rdf('<rdf:Description rdf:about=""/>'),
    "no RDF": '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
    "no root": '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?> <?xpacket end="w"?>',
    "zeros behind": rdf("") + "\0\0\0",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_packet(shape, tmp_path):
    data = jpeg(SHAPES[shape])
    before = read_description(data)
    assert before is None or before.description == "Old."
    described = embed_description(data, replace(NEW, alt_text="alt"))
    assert read_description(described) == replace(NEW, alt_text="alt")
    assert read_description(restore_description(described, before)) == before
    if shape != "default namespace":  # which exiftool does not read, whoever wrote it
        found = xmp_tags(described, tmp_path)
        assert found["XMP-dc:Description"] == found["XMP-dc:Description-en"] == "A dog."
        assert found["XMP-iptcCore:AltTextAccessibility"] == "alt"
        assert "ExifTool:Warning" not in found


def test_utf_16():
    data = jpeg(SHAPES["plain"].encode("utf-16"))
    assert read_description(data).description == "Old."
    assert read_description(embed_description(data, NEW)) == NEW


BOMB = "<!DOCTYPE a [" + "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 12)) + "]>"
HOSTILE = {
    "entity bomb": BOMB + f"<rdf:RDF {RDF}>&e11;</rdf:RDF>",
    "external entity": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><rdf:RDF {RDF}>&x;</rdf:RDF>',
    "external type": f'<!DOCTYPE a SYSTEM "http://example.com/a.dtd"><rdf:RDF {RDF}/>',
    "undefined entity": f"<rdf:RDF {RDF}>&x;</rdf:RDF>",
    "not XML": "no XML at all",
    "cut": f"<rdf:RDF {RDF}><rdf:Description>",
    "two roots": f"<rdf:RDF {RDF}/><a/>",
    "other XML": "<svg><a/></svg>",
    "not UTF-8": b"<a>\xff</a>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_packets_are_refused(kind):
    data = jpeg(HOSTILE[kind])
    start = time.monotonic()
    embed = partial(embed_description, description=NEW, name="IMG_1.jpg")
    for act in (read_description, remove_description, embed):
        with pytest.raises(ImageError) as caught:
            act(data)
        assert caught.value.code == "metadata"
    assert str(caught.value).startswith("IMG_1.jpg has XMP metadata that cannot be read: ")
    assert time.monotonic() - start < 2


def test_deep_and_wide_packets_take_no_time():
    deep = rdf(f"<rdf:Description>{'<a>' * 9_000}{'</a>' * 9_000}</rdf:Description>")
    wide = rdf(block("x<a/>" * 100_000))
    start = time.monotonic()
    assert read_description(embed_description(jpeg(deep), NEW)) == NEW
    assert read_description(write_xmp(FILES["rgb"][1](), wide.encode())).description == "x" * 100_000
    assert time.monotonic() - start < 10


def test_hostile_directories_take_no_time():
    """300,000 directories in two megabytes, and 60,000 strips that all are the whole file."""
    chain = bytearray(b"II*\0\x08\0\0\0" + bytes(2_000_000))
    for place in range(8, 1_800_008, 6):
        struct.pack_into("<HI", chain, place, 0, place + 6)
    numbers = struct.pack("<60000I", *[0] * 60_000) + struct.pack("<60000I", *[480_000] * 60_000)
    entries = struct.pack("<HHHIIHHIII", 2, 273, 4, 60_000, 38, 279, 4, 60_000, 240_038, 0)
    start = time.monotonic()
    assert read_description(bytes(chain)) is None
    with pytest.raises(ImageError, match="longer than the file"):
        read_description(b"II*\0\x08\0\0\0" + entries + numbers)
    assert time.monotonic() - start < 10


ODD = [
    "",
    " ",
    "]]>",
    "&amp;",
    "\r\n \t",
    "a\u2028b",
    "\u200fשלום",
    "\U0001f469‍\U0001f4bb",
    "\ud800x",
    "a\0\x1b\x7f\x85b",
    "\ufffe\uffffz",
]


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from([None, "en", "pt-BR", "zh-Hant-TW"]),
    st.booleans(),
)
@example("]]>&<\"'", "\r\n\t", "en", True)
def test_any_text(text, other, language, ai_generated):
    description = Description(text, other, text + other, language, other, ai_generated)
    data = embed_description(PLAIN, description)
    found = read_description(data)
    for field in ("description", "alt_text", "extended_description"):
        wanted = getattr(description, field)
        assert (getattr(found, field, None) or "") == (wanted if wanted.strip() else "")
    if found and description.description.strip():
        assert found.language == language
    assert restore_description(data, None) == PLAIN


def test_exiftool_reads_odd_texts(tmp_path):
    paths = []
    for number, text in enumerate(ODD):
        paths.append(tmp_path / f"{number:02}.jpg")
        paths[-1].write_bytes(embed_description(PLAIN, Description(f"a{text}z")))
    read = [found["XMP-dc:Description"] for found in tags(paths)]
    assert read == [Description(f"a{text}z").description for text in ODD]
    assert read[ODD.index("a\0\x1b\x7f\x85b")] == "aa\x7f\x85bz"


def test_a_language_has_to_be_a_tag():
    with pytest.raises(LeyendaError, match=r"'English please' is no language tag.*pt-BR"):
        Description("a", language="English please")


def test_a_text_that_is_too_long_for_jpeg_fits_into_png():
    long = replace(NEW, extended_description="word " * 20_000, language=None)
    with pytest.raises(
        ImageError, match=r"no room for the description: a JPEG file holds .* 65,50\d bytes"
    ) as caught:
        embed_description(PLAIN, long)
    assert caught.value.code == "metadata"
    for name in ("rgb", "lossy", "little"):
        assert read_description(embed_description(FILES[name][1](), long)) == long


def test_padding_gives_way(tmp_path):
    padded = PLAIN_XMP.replace(b'\n<?xpacket end="w"', b" " * 30_000 + b'\n<?xpacket end="w"')
    described = embed_description(jpeg(padded), replace(NEW, extended_description="word " * 6_000))
    found = xmp_tags(described, tmp_path)
    assert found["XMP-iptcCore:ExtDescrAccessibility"].startswith("word")
    assert found["XMP-xmp:Rating"] == 4


def test_content_credentials_are_not_broken_by_the_way():
    signed = PLAIN[:2] + app(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x10jumbc2pa") + PLAIN[2:]
    with pytest.raises(ImageError, match="content credentials") as caught:
        embed_description(signed, NEW)
    assert caught.value.code == "signed"
    assert read_description(signed) is None
    assert read_description(embed_description(signed, NEW, break_signature=True)) == NEW


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"words", "not_an_image"),
        (saved(picture("P"), "GIF"), "no_metadata"),
        (saved(picture(), "BMP"), "no_metadata"),
        (PLAIN[:-400], "truncated"),
        (PLAIN[:30], "truncated"),
        (PLAIN[:20] + b"\0" * 30 + PLAIN[20:], "unreadable"),
        (FILES["rgb"][1]()[:-12], "truncated"),
        (FILES["rgb"][1]()[:40], "truncated"),
        (FILES["lossy"][1]()[:-9], "truncated"),
        (FILES["little"][1]()[:-9], "truncated"),
        (FILES["big"][1]()[:50], "truncated"),
        (FILES["bigtiff"][1]()[:50], "truncated"),
        (PLAIN[:2] + app(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLAIN_XMP) * 2 + PLAIN[2:], "metadata"),
        (in_png(itxt(PLAIN_XMP) * 2), "metadata"),
    ],
)
def test_damaged_and_unsupported_files_are_named(data, code):
    with pytest.raises(ImageError) as caught:
        embed_description(data, NEW, name="a.jpg")
    assert (caught.value.code, str(caught.value)[:5]) == (code, "a.jpg")


@pytest.mark.parametrize("name", FILES)
def test_no_damage_makes_a_broken_file(name):
    """A changed byte or a missing piece anywhere: a named error, or a file with the same pixels and the text."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    whole = FILES[name][1]()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            position = chance.randrange(min(len(data), 3_000) if chance.random() < 0.7 else len(data))
            if chance.random() < 0.8:
                data[position] = chance.choice([0, 255, chance.randrange(256)])
            else:
                del data[position : position + chance.randint(1, 40)]
        try:
            described = embed_description(bytes(data), NEW, break_signature=True)
        except ImageError:
            continue
        assert read_description(described).description == NEW.description
        pixels = pixels_or_none(bytes(data))
        assert pixels is None or pixels_or_none(described) == pixels


def pixels_or_none(data: bytes) -> tuple | None:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return opened.size, opened.tobytes()
    except Exception:
        return None
