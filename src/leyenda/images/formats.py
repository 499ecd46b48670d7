"""Which picture format some bytes are in, told by their first bytes and never by a file's name."""

from __future__ import annotations

import re

DECODERS = {
    "AVIF": ("AvifImagePlugin", "AvifImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "JPEG 2000": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "PPM": ("PpmImagePlugin", "PpmImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "WebP": ("WebPImagePlugin", "WebPImageFile"),
}
"""Format -> Pillow module and class. Only plain raster formats: Pillow also knows some that start other
programs (EPS starts Ghostscript) or that match almost any bytes (TGA), and a stranger's picture must reach
none of them."""

_MAGIC = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("GIF", rb"GIF8[79]a"),
    ("WebP", rb"RIFF.{4}WEBP"),
    ("BMP", rb"BM"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
    ("JPEG 2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n"),
    ("AVIF", rb".{4}ftyp(avif|avis|(mif1|msf1|miaf).{4}(.{4}){0,8}?avif)"),
    ("PPM", rb"P([1-6]\s|[Ff]\s)"),
)

_NOT_PICTURES = (
    ("a HEIC picture, which leyenda cannot read; convert it to JPEG first", rb".{4}ftyp(hei|hev|mif1|msf1)"),
    ("an SVG drawing; convert it to PNG first", rb"\s*(<\?xml.*)?(<!--.*-->\s*)?(<!DOCTYPE svg.*)?\s*<svg"),
    ("a web page", rb"(?i)\s*<(!doctype )?html"),
    ("an XML document", rb"\s*<\?xml"),
    ("a PDF document; save its pages as pictures first", rb"%PDF"),
    ("a PostScript drawing; convert it to PNG first", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("a Photoshop document; export it as PNG first", rb"8BPS"),
    ("an icon file; convert it to PNG first", rb"\0\0[\x01\x02]\0[\x01-\xff]\0"),
    ("a video", rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI "),
    ("a ZIP archive; unpack it first", rb"PK\x03\x04"),
    ("a pointer to a file kept by Git LFS; run git lfs pull", rb"version https://git-lfs"),
)


def picture_format(data: bytes) -> str | None:
    """The format whose first bytes these are.

    Args:
        data: the encoded picture, or at least its first 64 bytes.

    Returns:
        A key of `DECODERS`, or None when no supported format starts like this.

    >>> picture_format(b"GIF89a...")
    'GIF'
    >>> picture_format(b"%!PS-Adobe-3.0 EPSF-3.0") is None
    True
    """
    return _first_match(_MAGIC, data[:64])


def what_it_is_instead(data: bytes) -> str:
    """Plain words for bytes that are no supported picture; empty when they look like nothing known."""
    return _first_match(_NOT_PICTURES, data[:1024]) or ""


def _first_match(table: tuple[tuple[str, bytes], ...], head: bytes) -> str | None:
    return next((name for name, pattern in table if re.match(pattern, head, re.DOTALL)), None)
