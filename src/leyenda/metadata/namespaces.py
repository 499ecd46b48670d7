"""The names of the properties that leyenda writes into XMP packets.

- `dc`: Dublin Core, part of the XMP specification (ISO 16684-1).
- `photoshop`, `Iptc4xmpCore`: IPTC Photo Metadata Standard, schema IPTC Core.
- `leyenda`: this project's own, documented in docs/metadata.md.
"""

from __future__ import annotations

from leyenda.metadata.xml_positions import Name

LEYENDA = "urn:leyenda:xmp:1.0#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PREFIXES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "leyenda": LEYENDA,
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "rdf": RDF,
    "xmpNote": "http://ns.adobe.com/xmp/note/",
}
XML_LANGUAGE = Name("http://www.w3.org/XML/1998/namespace", "lang")

_PREFIX_OF = {uri: prefix for prefix, uri in PREFIXES.items()}


def name(qualified: str) -> Name:
    """The name behind a prefixed one.

    >>> name("dc:description")
    Name(namespace='http://purl.org/dc/elements/1.1/', local='description')
    """
    prefix, local = qualified.split(":")
    return Name(PREFIXES[prefix], local)


def qualified(name: Name) -> str:
    """The usual spelling of a name of one of the namespaces above.

    >>> qualified(Name(LEYENDA, "DescriptionModel"))
    'leyenda:DescriptionModel'
    """
    return f"{_PREFIX_OF[name.namespace]}:{name.local}"


TEXT_PROPERTIES = {
    "description": name("dc:description"),
    "alt_text": name("Iptc4xmpCore:AltTextAccessibility"),
    "extended_description": name("Iptc4xmpCore:ExtDescrAccessibility"),
}
"""Field of a `Description` -> the property, a language alternative, that holds it."""

CAPTION_WRITER = name("photoshop:CaptionWriter")
AI_GENERATED = name("leyenda:DescriptionAIGenerated")
MODEL = name("leyenda:DescriptionModel")
FIELDS = name("leyenda:DescriptionFields")
LANGUAGES = name("leyenda:DescriptionLanguages")
DIGEST = name("leyenda:DescriptionDigest")
MARK = (AI_GENERATED, MODEL, FIELDS, LANGUAGES, DIGEST)
"""The properties that together say which texts a machine wrote."""

EXTENDED_XMP = name("xmpNote:HasExtendedXMP")
EVERY_PROPERTY = (*TEXT_PROPERTIES.values(), CAPTION_WRITER, *MARK)
