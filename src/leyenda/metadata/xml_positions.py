"""An XML document as a tree that knows at which byte each element begins and ends.

XMP packets are edited by replacing bytes at these positions, so that everything else in them stays as it was written:
prefixes, order, white space, comments, and whatever other programs understand and leyenda does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

_SEPARATOR = "\x1f"  # stands in no XML document
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_TAG_NAME = re.compile(rb"<[^\s/>]+")
_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")


class Name(NamedTuple):
    """A qualified name: the namespace's URI (empty for none) and the local name."""

    namespace: str
    local: str


class NotXml(Exception):
    """The bytes are no XML document, or one that declares types or entities."""


class Edit(NamedTuple):
    """Bytes that take the place of `document[start:end]`."""

    start: int
    end: int
    replacement: bytes


@dataclass
class Element:
    """An element and where it stands: `start` .. `inner` is its start tag, `inner_end` .. `end` its end tag.

    An empty element (`<a/>`) has `inner == inner_end == end`.
    """

    name: Name
    prefix: str
    attributes: dict[Name, str]
    written_names: dict[Name, str]
    """The attributes' names as they are written, with their prefixes."""
    start: int
    inner: int
    inner_end: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)
    text_pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The characters directly inside it."""
        return "".join(self.text_pieces)

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written as one tag, `<a/>`."""
        return self.inner == self.end


def parse(document: bytes) -> Element | None:
    """Parse a document in UTF-8.

    Returns:
        The root element, or None when the document has none (only white space, comments, processing instructions).

    Raises:
        NotXml: not well formed, or it has a document type declaration: entities are never expanded.

    >>> root = parse(b"<a><b/>text</a>")
    >>> root.name.local, root.text, root.children[0].start, root.inner_end
    ('a', 'text', 3, 11)
    """
    reader = _Reader(document)
    try:
        reader.expat.Parse(document, True)
    except expat.ExpatError as error:
        nothing = error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
        if nothing and reader.root is None:  # with a root, the same code says that its end is missing
            return None
        raise NotXml(str(error)) from None
    return reader.root


class _Reader:
    def __init__(self, document: bytes) -> None:
        self.document = document
        self.root: Element | None = None
        self.open: list[Element] = []
        self.expat = expat.ParserCreate("utf-8", _SEPARATOR)
        self.expat.namespace_prefixes = True
        self.expat.buffer_text = True
        self.expat.StartDoctypeDeclHandler = self.refuse
        self.expat.StartElementHandler = self.begin
        self.expat.EndElementHandler = self.finish
        self.expat.CharacterDataHandler = self.characters

    def refuse(self, *_: object) -> None:
        raise NotXml("it declares a document type, which XMP does not have")

    def begin(self, raw_name: str, raw_attributes: dict[str, str]) -> None:
        start = self.expat.CurrentByteIndex
        tag = _TAG.match(self.document, start)
        if tag is None:
            raise NotXml(f"no tag at byte {start}")
        name, prefix = _split(raw_name)
        attributes = {_split(raw)[0]: value for raw, value in raw_attributes.items()}
        written = {name: f"{prefix}:{name.local}".lstrip(":") for name, prefix in map(_split, raw_attributes)}
        element = Element(name, prefix, attributes, written, start, tag.end())
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def finish(self, _: str) -> None:
        element = self.open.pop()
        if self.document[element.inner - 2 : element.inner] == b"/>":
            element.inner_end = element.end = element.inner
        else:
            element.inner_end = self.expat.CurrentByteIndex
            element.end = self.document.index(b">", element.inner_end) + 1

    def characters(self, text: str) -> None:
        if self.open:
            self.open[-1].text_pieces.append(text)


def _split(raw: str) -> tuple[Name, str]:
    parts = raw.split(_SEPARATOR)
    if len(parts) == 1:
        return Name("", parts[0]), ""
    return Name(parts[0], parts[1]), parts[2] if len(parts) == 3 else ""


def attribute_position(document: bytes, element: Element, name: Name) -> tuple[int, int, int]:
    """Where an attribute that the element has stands in its start tag.

    Returns:
        Where it begins, the white space before it included; where its quoted value begins; where it ends.
    """
    wanted = element.written_names[name].encode()
    position = _TAG_NAME.match(document, element.start).end()  # type: ignore[union-attr]  # it has a name
    while match := _ATTRIBUTE.match(document, position, element.inner):
        if match[1] == wanted:
            return match.start(), match.start(2), match.end()
        position = match.end()
    raise AssertionError(f"the parser has seen {name} in this tag")


def apply(document: bytes, edits: Iterable[Edit]) -> bytes:
    """Carry out edits that do not overlap; several at one position stay in their order.

    >>> apply(b"abcdef", [Edit(1, 2, b"X"), Edit(4, 4, b"1"), Edit(4, 4, b"2")])
    b'aXcd12ef'
    """
    pieces = []
    position = 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [document[position:start], replacement]
        position = end
    return b"".join([*pieces, document[position:]])


def escape(text: str) -> bytes:
    """Text as it stands in an element or a quoted attribute, in UTF-8, so that a parser gives it back unchanged.

    >>> escape('a < "b"')
    b'a &lt; &quot;b&quot;'
    """
    return text.translate(_REFERENCES).encode()


_REFERENCES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;"}
)
"""A parser makes line feeds of carriage returns, and spaces of all white space in attributes."""
