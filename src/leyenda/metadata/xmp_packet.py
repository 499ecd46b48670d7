"""An XMP packet: properties read, set and taken out by changing only their own bytes (ISO 16684-1).

Each change returns a new packet. What stands in the packet beside the changed property is kept byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from leyenda.metadata.namespaces import PREFIXES, RDF, XML_LANGUAGE, qualified
from leyenda.metadata.xml_positions import (
    Edit,
    Element,
    Name,
    NotXml,
    apply,
    attribute_position,
    escape,
    parse,
)

DEFAULT_LANGUAGE = "x-default"

_TOOLKIT = b"leyenda"
_NEW = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="' + _TOOLKIT + b'">\n'
    b' <rdf:RDF xmlns:rdf="' + RDF.encode() + b'">\n'
    b" </rdf:RDF>\n"
    b"</x:xmpmeta>\n"
    b'<?xpacket end="w"?>'
)
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_PADDING = re.compile(rb"\s+(?=<\?xpacket end)")


class XmpPacket:
    """A packet's bytes, and the properties in them.

    Args:
        raw: the packet as the file holds it; None for a new, empty one.

    Raises:
        NotXml: it is no XML, declares entities, or is no XMP.

    >>> packet = XmpPacket().with_text(Name("http://ns.adobe.com/photoshop/1.0/", "CaptionWriter"), "Ana")
    >>> packet.text(Name("http://ns.adobe.com/photoshop/1.0/", "CaptionWriter"))
    'Ana'
    """

    def __init__(self, raw: bytes | None = None) -> None:
        document = _NEW if raw is None else _in_utf8(raw).rstrip(b"\0")
        self._tail = b"" if raw is None else bytes(len(raw) - len(raw.rstrip(b"\0")))
        root = parse(document)
        rdf = next((element for element in _below(root) if element.name == Name(RDF, "RDF")), None)
        if rdf is None:
            if root is not None and (root.children or root.text.strip()):
                raise NotXml("it holds no rdf:RDF")
            document = _NEW
            self._tail = b""
            root = parse(document)
            rdf = next(element for element in _below(root) if element.name == Name(RDF, "RDF"))
        self._document = document
        self._rdf = rdf
        self._blocks = [child for child in rdf.children if child.name == Name(RDF, "Description")]

    def __bytes__(self) -> bytes:
        return self._document + self._tail

    @property
    def is_ours_and_empty(self) -> bool:
        """Whether leyenda made it, and no property is left in it."""
        return b'x:xmptk="' + _TOOLKIT + b'"' in self._document and not self._rdf.children

    def without_padding(self) -> XmpPacket:
        """The packet without the white space that is kept at its end for programs that edit in place."""
        self._tail = b""
        return self._changed(_PADDING.sub(b"\n", self._document))

    def holds(self, name: Name) -> bool:
        """Whether it has the property."""
        return any(True for _ in self._elements(name)) or any(True for _ in self._with_attribute(name))

    def text(self, name: Name) -> str | None:
        """The value of a simple property; None when there is none."""
        for element in self._with_attribute(name):
            return element.attributes[name]
        for element in self._elements(name):
            return _all_text(element)
        return None

    def alternatives(self, name: Name) -> dict[str, str]:
        """Language tag -> text, in the packet's order; text of no language is `x-default`."""
        found: dict[str, str] = {}
        for element in self._elements(name):
            items = [item for array in element.children for item in array.children if _is_item(item)]
            for item in items:
                found.setdefault(_language(item), _all_text(item))
            if not items and (text := _all_text(element)).strip():
                found.setdefault(DEFAULT_LANGUAGE, text)
        for element in self._with_attribute(name):
            found.setdefault(DEFAULT_LANGUAGE, element.attributes[name])
        return found

    def with_text(self, name: Name, text: str | None) -> XmpPacket:
        """The packet with a simple property set; None takes it out."""
        edits: list[Edit] = []
        for element in self._with_attribute(name):
            start, quoted, end = attribute_position(self._document, element, name)
            if text is None or edits:
                edits.append(Edit(start, end, b""))
            else:
                edits.append(Edit(quoted, end, b'"' + escape(text) + b'"'))
        for element in self._elements(name):
            if text is None or edits or element.children or element.is_empty_tag:
                edits.append(self._cut(element))
            else:
                edits.append(Edit(element.inner, element.inner_end, escape(text)))
        kept = text is not None and any(edit.replacement for edit in edits)
        packet = self._changed(apply(self._document, edits))
        return packet if kept or text is None else packet._with_property(name, escape(text))

    def with_alternatives(self, name: Name, texts: Mapping[str, str | None]) -> XmpPacket:
        """The packet with some languages of a language alternative set.

        Args:
            name: the property.
            texts: language tag -> its text, None to take that language out; other languages stay.
        """
        elements = list(self._elements(name))
        array = _alternative_array(elements[0]) if elements else None
        if array is None:
            return self._with_new_alternatives(name, texts)
        edits = [self._cut(element) for element in elements[1:]]
        edits += [self._cut_attribute(element, name) for element in self._with_attribute(name)]
        if _all_taken_out(array, texts):
            edits.append(self._cut(elements[0]))
        else:
            edits += _item_edits(self._document, array, texts)
        return self._changed(apply(self._document, edits))

    def _with_new_alternatives(self, name: Name, texts: Mapping[str, str | None]) -> XmpPacket:
        packet = self.without(name)
        items = [_item(b"rdf:li", language, text) for language, text in texts.items() if text is not None]
        if not items:
            return packet
        return packet._with_property(name, b"<rdf:Alt>" + b"".join(items) + b"</rdf:Alt>")

    def without(self, name: Name) -> XmpPacket:
        """The packet without a property."""
        edits = [self._cut(element) for element in self._elements(name)]
        edits += [self._cut_attribute(element, name) for element in self._with_attribute(name)]
        return self._changed(apply(self._document, edits))

    def without_own_empty_blocks(self) -> XmpPacket:
        """The packet without the `rdf:Description` that leyenda added, once nothing is left in it."""
        edits = [self._cut(block) for block in self._blocks if self._is_own(block) and not block.children]
        return self._changed(apply(self._document, edits))

    def _changed(self, document: bytes) -> XmpPacket:
        return XmpPacket(document + self._tail) if document != self._document else self

    def _elements(self, name: Name) -> Iterator[Element]:
        return (child for block in self._blocks for child in block.children if child.name == name)

    def _with_attribute(self, name: Name) -> Iterator[Element]:
        return (block for block in self._blocks if name in block.attributes)

    def _cut(self, element: Element) -> Edit:
        """Take an element out, with the white space before it."""
        start = element.start
        while self._document[start - 1 : start].isspace():
            start -= 1
        return Edit(start, element.end, b"")

    def _cut_attribute(self, element: Element, name: Name) -> Edit:
        start, _, end = attribute_position(self._document, element, name)
        return Edit(start, end, b"")

    def _is_own(self, block: Element) -> bool:
        start_tag = self._document[block.start : block.inner]
        only_about = all(name.local == "about" for name in block.attributes)
        return b'xmlns:leyenda="' in start_tag and only_about

    def _with_property(self, name: Name, content: bytes) -> XmpPacket:
        """Add a property to the block of our own, which is made when there is none.

        The property declares its prefix itself: other programs may move it to where ours are not declared.
        """
        packet = self if any(self._is_own(block) for block in self._blocks) else self._with_own_block()
        block = next(block for block in packet._blocks if packet._is_own(block))
        tag = qualified(name).encode()
        namespace = b' xmlns:%s="%s"' % (tag.partition(b":")[0], name.namespace.encode())
        element = b"\n   <%s%s%s>%s</%s>" % (tag, namespace, packet._rdf_declaration(), content, tag)
        return packet._with_child(block, element, b"\n  ")

    def _with_own_block(self) -> XmpPacket:
        about = _about(self._blocks)
        declarations = b' xmlns:leyenda="%s"%s' % (PREFIXES["leyenda"].encode(), self._rdf_declaration())
        block = b'\n  <rdf:Description%s rdf:about="%s">\n  </rdf:Description>' % (
            declarations,
            escape(about),
        )
        return self._with_child(self._rdf, block, b"\n ")

    def _with_child(self, parent: Element, child: bytes, before_end: bytes) -> XmpPacket:
        """Put an element behind the last one in another; an empty tag is opened, and closed on a line of its own."""
        if parent.is_empty_tag:
            tag = self._document[parent.start + 1 : parent.inner].split(None, 1)[0].rstrip(b"/>")
            opened = self._document[parent.start : parent.inner - 2].rstrip() + b">"
            edit = Edit(parent.start, parent.end, opened + child + before_end + b"</" + tag + b">")
        else:
            position = parent.children[-1].end if parent.children else parent.inner
            edit = Edit(position, position, child)
        return self._changed(apply(self._document, [edit]))

    def _rdf_declaration(self) -> bytes:
        return b"" if self._rdf.prefix == "rdf" else b' xmlns:rdf="%s"' % RDF.encode()


def _in_utf8(raw: bytes) -> bytes:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding).encode()
            except UnicodeError as error:
                raise NotXml(str(error)) from None
    return raw


def _below(root: Element | None) -> Iterator[Element]:
    waiting = [root] if root else []
    while waiting:
        element = waiting.pop()
        yield element
        waiting.extend(reversed(element.children))


def _all_text(element: Element) -> str:
    """The text of a simple value; of one with qualifiers, the text of its `rdf:value`."""
    for child in _below(element):
        if child.name == Name(RDF, "value"):
            return child.text
    return element.text


def _is_item(element: Element) -> bool:
    return element.name == Name(RDF, "li")


def _language(item: Element) -> str:
    language = item.attributes.get(XML_LANGUAGE, DEFAULT_LANGUAGE)
    return DEFAULT_LANGUAGE if language.lower() == DEFAULT_LANGUAGE else language


def _alternative_array(element: Element) -> Element | None:
    return next((child for child in element.children if child.name == Name(RDF, "Alt")), None)


def _item(tag: bytes, language: str, text: str) -> bytes:
    return b'<%s xml:lang="%s">%s</%s>' % (tag, escape(language), escape(text), tag)


def _all_taken_out(array: Element, texts: Mapping[str, str | None]) -> bool:
    gone = {language.lower() for language, text in texts.items() if text is None}
    stays = any(_language(item).lower() not in gone for item in array.children)
    return not stays and all(text is None for text in texts.values())


def _item_edits(document: bytes, array: Element, texts: Mapping[str, str | None]) -> list[Edit]:
    """Edits inside an `rdf:Alt`: a language that is there keeps its place, a new `x-default` comes first."""
    tag = f"{array.prefix}:li".lstrip(":").encode()
    edits = []
    new = []
    for language, text in texts.items():
        items = [item for item in array.children if _language(item).lower() == language.lower()]
        plain = next((item for item in items if not item.children and not item.is_empty_tag), None)
        if text is not None and plain:
            edits.append(Edit(plain.inner, plain.inner_end, escape(text)))
        elif text is not None:
            new.append((language, _item(tag, language, text)))
        edits += [Edit(item.start, item.end, b"") for item in items if text is None or item is not plain]
    if new and array.is_empty_tag:
        alt = document[array.start + 1 : array.inner].split(None, 1)[0].rstrip(b"/>")
        content = b"".join(item for _, item in new)
        return [Edit(array.start, array.end, b"<%s>%s</%s>" % (alt, content, alt))]
    default = next((item for item in array.children if _language(item) == DEFAULT_LANGUAGE), None)
    after_default = default.end if default else array.inner
    for language, item in new:
        position = array.inner if language == DEFAULT_LANGUAGE else after_default
        edits.append(Edit(position, position, item))
    return edits


def _about(blocks: list[Element]) -> str:
    """What the packet says that it is about: all its blocks have to say the same."""
    for block in blocks:
        for name in (Name(RDF, "about"), Name("", "about")):
            if name in block.attributes:
                return block.attributes[name]
    return ""
