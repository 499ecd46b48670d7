"""Text that every reader can show: what a file name or a caption may hold beside letters is made visible."""

from __future__ import annotations

import re

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    r"""The text with a replacement sign for every control character and every half of a broken file name.

    HTML forbids the former, UTF-8 cannot write the latter.

    >>> printable("a\x00b\udce9.jpg")
    'a�b�.jpg'
    """
    return _NO_TEXT.sub("\ufffd", text)
