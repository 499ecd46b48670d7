"""Picture files of every kind that descriptions are written into, small, and parsed by a second hand.

`compressed_pixels` reads the formats on its own, so that a test does not ask the code under test whether it was right.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image, ImageCms, ImageSequence
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

SIZE = (37, 26)

OTHER_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="another program">
 <!-- a comment -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:shop="urn:a:shop#"{note}
    xmp:Rating="4" photoshop:CaptionWriter="Ana &amp; &quot;Bo&quot;" shop:shelf='1 &gt; "2"'>
   <dc:description>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">Un perro</rdf:li>
     <rdf:li xml:lang="es">Un perro</rdf:li>
     <rdf:li xml:lang="de-AT">Ein Hund</rdf:li>
    </rdf:Alt>
   </dc:description>
   <dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li>grass</rdf:li></rdf:Bag></dc:subject>
   <ext:LocationShown>
    <rdf:Bag><rdf:li rdf:parseType="Resource"><ext:City>Lima</ext:City></rdf:li></rdf:Bag>
   </ext:LocationShown>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
{padding}
<?xpacket end="w"?>""".replace("{padding}", (" " * 99 + "\n") * 5)
PLAIN_XMP = OTHER_XMP.replace("{note}", "").encode()

EXTENDED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="'
    + b"long " * 20_000
    + b'"/></rdf:RDF></x:xmpmeta>'
)


def picture(mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Noise over a gradient: no two rows alike, so that a moved row shows."""
    width, height = SIZE
    bands = [Image.linear_gradient("L").resize(SIZE).rotate(90 * k + seed) for k in range(4)]
    noise = Image.frombytes("L", SIZE, hashlib.shake_128(bytes([seed])).digest(width * height))
    bands = [Image.blend(band, noise, 0.5) for band in bands]
    if mode in ("I;16", "I;16B"):
        return Image.frombytes(mode, SIZE, hashlib.shake_128(bytes([seed])).digest(width * height * 2))
    if mode == "L":
        return bands[0]
    if mode == "P":
        return picture("RGB", seed).quantize(16)
    return Image.merge(mode, bands[: len(mode)])


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def frames(**options: Any) -> dict[str, Any]:
    return {
        "save_all": True,
        "append_images": [picture(options.pop("mode", "RGB"), k) for k in (2, 3)],
        **options,
    }


def exif() -> Image.Exif:
    found = Image.Exif()
    found[271], found[274], found[270] = "Camera", 6, "OLD CAMERA TEXT"
    return found


def icc() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def app(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_extended_xmp(jpeg: bytes) -> bytes:
    guid = hashlib.md5(EXTENDED).hexdigest().upper().encode()
    note = f' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid.decode()}"'
    main = app(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + OTHER_XMP.replace("{note}", note).encode())
    parts = [
        app(
            0xE1,
            b"http://ns.adobe.com/xmp/extension/\0"
            + guid
            + struct.pack(">II", len(EXTENDED), k)
            + EXTENDED[k : k + 60_000],
        )
        for k in range(0, len(EXTENDED), 60_000)
    ]
    return jpeg[:2] + main + b"".join(parts) + jpeg[2:]


def with_keywords(jpeg: bytes, caption: bytes = b"old caption") -> bytes:
    """IPTC-IIM, as news agencies still write it: a keyword and a caption."""
    records = b"\x1c\x02\x19\0\4news\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    block = b"8BIM\4\4\0\0" + struct.pack(">I", len(records)) + records + bytes(len(records) % 2)
    return jpeg[:2] + app(0xED, b"Photoshop 3.0\0" + block) + jpeg[2:]


def itxt(packet: bytes, *, compressed: bool = False) -> bytes:
    import zlib

    text = zlib.compress(packet) if compressed else packet
    content = b"iTXtXML:com.adobe.xmp\0" + bytes([compressed, 0]) + b"\0\0" + text
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def in_png(chunk: bytes) -> bytes:
    png = saved(picture(), "PNG")
    return png[:33] + chunk + png[33:]


def png_with_text() -> bytes:
    text = PngInfo()
    text.add_text("Title", "a title")
    text.add_itxt("Comment", "un año", "es", "Comentario", zip=True)
    return saved(picture("RGBA"), "PNG", pnginfo=text, exif=exif(), icc_profile=icc())


def tiff(order: str, *, big: bool = False, tiled: bool = False, odd: bool = False) -> bytes:
    """A grey TIFF, its directory before its pixels, by hand: Pillow writes neither tiles nor big-endian."""
    width, height = (32, 32) if tiled else SIZE
    pixels = hashlib.shake_128(b"tiff").digest(width * height)
    pieces = [pixels[k : k + 256] for k in range(0, 1024, 256)] if tiled else [pixels]
    number, kind = ("Q", 16) if big else ("I", 4)
    head = 16 if big else 8
    values = {
        256: (3, [width]),
        257: (3, [height]),
        258: (3, [8]),
        259: (3, [1]),
        262: (3, [1]),
        277: (3, [1]),
    }
    values |= {282: (5, [72, 1]), 283: (5, [72, 1]), 296: (3, [2])}
    values |= (
        {322: (3, [16]), 323: (3, [16]), 324: (kind, []), 325: (kind, [])}
        if tiled
        else {273: (kind, []), 278: (3, [height]), 279: (kind, [])}
    )
    count_size, entry_size = (8, 20) if big else (2, 12)
    extra_at = head + count_size + entry_size * len(values) + (8 if big else 4)
    data_at = extra_at + 16 + 2 * len(pieces) * (8 if big else 4)
    starts = [data_at + sum(map(len, pieces[:k])) for k in range(len(pieces))]
    for tag in (273, 324):
        if tag in values:
            values[tag] = (kind, starts)
            values[tag + 6 if tag == 273 else 325] = (kind, [len(piece) for piece in pieces])
    body, extra = b"", b""
    for tag, (type_, numbers) in sorted(values.items()):
        letter = {3: "H", 4: "I", 5: "I", 16: "Q"}[type_]
        raw = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        if len(raw) > (8 if big else 4):
            value = struct.pack(order + number, extra_at + len(extra))
            extra += raw
        else:
            value = raw.ljust(8 if big else 4, b"\0")
        count = len(numbers) // 2 if type_ == 5 else len(numbers)
        body += struct.pack(f"{order}HH{number}", tag, type_, count) + value
    magic = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    magic += struct.pack(order + "HHQ", 8, 0, 16) if big else struct.pack(order + "I", 8)
    directory = (
        struct.pack(order + ("Q" if big else "H"), len(values)) + body + struct.pack(order + number, 0)
    )
    return (magic + directory + extra).ljust(data_at, b"\0") + b"".join(pieces) + b"\0" * odd


def tiff_with_xmp() -> bytes:
    directory = ImageFileDirectory_v2()
    directory[700] = PLAIN_XMP
    directory.tagtype[700] = 1
    directory[270] = "old text"
    return saved(picture(), "TIFF", tiffinfo=directory, compression="tiff_lzw")


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "baseline": ("jpg", lambda: saved(picture(), "JPEG")),
    "progressive": ("jpg", lambda: saved(picture(), "JPEG", progressive=True, quality=90)),
    "cmyk": ("jpg", lambda: saved(picture("CMYK"), "JPEG")),
    "grey": ("jpg", lambda: saved(picture("L"), "JPEG", comment=b"a comment")),
    "exif, icc": ("jpg", lambda: saved(picture(), "JPEG", exif=exif(), icc_profile=icc())),
    "exif, xmp": ("jpg", lambda: saved(picture(), "JPEG", exif=exif(), xmp=PLAIN_XMP)),
    "keywords": ("jpg", lambda: with_keywords(saved(picture(), "JPEG"))),
    "extended xmp": ("jpg", lambda: with_extended_xmp(saved(picture(), "JPEG"))),
    "several pictures": ("jpg", lambda: saved(picture(), "MPO", **frames(exif=exif()))),
    "index before xmp": ("jpg", lambda: saved(picture(), "MPO", **frames(xmp=PLAIN_XMP))),
    "trailer": ("jpg", lambda: saved(picture(), "JPEG") + b"MotionPhoto_Data" * 9),
    "rgb": ("png", lambda: saved(picture(), "PNG")),
    "palette": ("png", lambda: saved(picture("P"), "PNG", transparency=3)),
    "16 bits": ("png", lambda: saved(picture("I;16"), "PNG")),
    "text": ("png", png_with_text),
    "animated": ("png", lambda: saved(picture(), "PNG", **frames())),
    "xmp": ("png", lambda: in_png(itxt(PLAIN_XMP))),
    "compressed xmp": ("png", lambda: in_png(itxt(PLAIN_XMP, compressed=True))),
    "lossy": ("webp", lambda: saved(picture(), "WEBP")),
    "lossless": ("webp", lambda: saved(picture(), "WEBP", lossless=True)),
    "lossless alpha": ("webp", lambda: saved(picture("RGBA"), "WEBP", lossless=True)),
    "lossy alpha": ("webp", lambda: saved(picture("RGBA"), "WEBP")),
    "moving": ("webp", lambda: saved(picture(), "WEBP", **frames())),
    "webp exif, xmp": (
        "webp",
        lambda: saved(picture(), "WEBP", exif=exif(), icc_profile=icc(), xmp=PLAIN_XMP),
    ),
    "little": ("tif", lambda: tiff("<")),
    "big": ("tif", lambda: tiff(">", odd=True)),
    "tiled": ("tif", lambda: tiff(">", tiled=True)),
    "bigtiff": ("btf", lambda: tiff("<", big=True)),
    "bigtiff, tiled": ("btf", lambda: tiff("<", big=True, tiled=True)),
    "lzw": ("tif", lambda: saved(picture(), "TIFF", compression="tiff_lzw", dpi=(72, 72))),
    "16 bits, big": ("tif", lambda: saved(picture("I;16B"), "TIFF")),
    "pages": ("tif", lambda: saved(picture(), "TIFF", **frames(compression="tiff_adobe_deflate"))),
    "tiff xmp": ("tif", tiff_with_xmp),
}
"""Name -> a file's ending, and a function that makes the file's bytes."""


def every_frame(data: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Mode, size and pixels of every frame or page, as Pillow decodes them."""
    with Image.open(io.BytesIO(data)) as opened:
        return [(frame.mode, frame.size, frame.tobytes()) for frame in ImageSequence.Iterator(opened)]


def compressed_pixels(data: bytes) -> list[bytes]:
    """The bytes that a decoder makes pixels of."""
    if data[:2] == b"\xff\xd8":
        return list(_jpeg_pieces(data))
    if data[:4] == b"\x89PNG":
        return [
            data[a + 8 : b - 4]
            for kind, a, b in _blocks(data, 8, ">I4s", 12, 1)
            if kind in (b"IDAT", b"fdAT", b"PLTE")
        ]
    if data[:4] == b"RIFF":
        return [
            data[a + 8 : b]
            for kind, a, b in _blocks(data, 12, "<4sI", 8, 2)
            if kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")
        ]
    return list(_tiff_pieces(data))


def _jpeg_pieces(data: bytes) -> Iterator[bytes]:
    position = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, position)
        if marker < 0xFFE0 or marker == 0xFFFE:
            yield data[position : position + 2 + length]
        if marker == 0xFFDA:
            yield data[position:]
            return
        position += 2 + length


def _blocks(
    data: bytes, position: int, header: str, frame: int, align: int
) -> Iterator[tuple[bytes, int, int]]:
    while position + 8 <= len(data):
        first, second = struct.unpack_from(header, data, position)
        kind, size = (second, first) if header[0] == ">" else (first, second)
        yield kind, position, position + frame + size
        position += frame + size + size % align if align > 1 else frame + size


def _tiff_pieces(data: bytes) -> Iterator[bytes]:
    with Image.open(io.BytesIO(data)) as opened:
        for page in ImageSequence.Iterator(opened):
            found = page.tag_v2  # type: ignore[attr-defined]
            offsets, sizes = (
                (found.get(324), found.get(325)) if 324 in found else (found.get(273), found.get(279))
            )
            for start, size in zip(offsets, sizes, strict=True):
                yield data[start : start + size]
