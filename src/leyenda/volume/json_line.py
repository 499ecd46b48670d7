"""Lines of JSON and text that can be written, whatever the names in them are."""

from __future__ import annotations

import json
from collections.abc import Mapping


def json_line(record: Mapping[str, object]) -> str:
    """One line of JSON with letters as they are; a file name that is no UTF-8 keeps its odd bytes as escapes.

    >>> json_line({"caption": "un niño"})
    '{"caption": "un niño"}'
    """
    return valid_text(json.dumps(record, ensure_ascii=False))


def valid_text(text: str) -> str:
    r"""Text without the halves of characters that a file name which is no UTF-8 has; they become escapes.

    >>> valid_text("a\udcf1o.jpg")
    'a\\udcf1o.jpg'
    """
    return text.encode("utf-8", "backslashreplace").decode()
