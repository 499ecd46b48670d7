"""Descriptions go into picture files and come out again; everything else in the files stays, byte by byte.

The files' bytes come in and go out whole. A new file is parsed again and compared with the old one before it is
handed out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from leyenda.errors import ImageError
from leyenda.metadata.container import Container, open_container
from leyenda.metadata.damage import Damaged, NoRoom
from leyenda.metadata.description import TEXT_FIELDS, Description, is_language_tag
from leyenda.metadata.marking import (
    Mark,
    marked_languages,
    read_mark,
    read_writer,
    with_mark,
    writer_words,
    wrote_it,
)
from leyenda.metadata.namespaces import CAPTION_WRITER, EVERY_PROPERTY, MARK, TEXT_PROPERTIES
from leyenda.metadata.xml_positions import NotXml
from leyenda.metadata.xmp_packet import DEFAULT_LANGUAGE, XmpPacket

_NAME = "The picture"


def read_description(data: bytes, *, name: str = _NAME) -> Description | None:
    """Read the description in a picture file's XMP metadata.

    Texts are those of the default language. `ai_generated` is true when leyenda's mark covers all of them and nobody
    has edited them since; then `writer` is the model's name, otherwise what the file says of the writer.

    Args:
        data: the file's bytes.
        name: what messages call it.

    Returns:
        The description; None when the file has none of its texts and no writer. All texts are None when it has a
        writer only.

    Raises:
        ImageError: `no_metadata` for other formats; `empty`, `not_an_image`, `truncated`, `unreadable` for
            damaged files, `metadata` for damaged metadata.
    """
    with _damage_is_image_error(name):
        container = open_container(data, name)
        return _read(_packets(container))


def embed_description(
    data: bytes,
    description: Description,
    *,
    joined_to: Collection[str] = (),
    name: str = _NAME,
    break_signature: bool = False,
) -> bytes:
    """Write a description into a JPEG, PNG, WebP or TIFF file's XMP metadata.

    Each text is written as the default (`x-default`) and, when the language is given, in that language. Texts that
    are None stay as they are in the file, and so do other languages; the writer, too, unless it is leyenda.

    Args:
        data: the file's bytes.
        description: what to write.
        joined_to: fields whose text holds what was there before, with new words in front or behind. Where a person
            wrote it, it stays the person's: the field is not marked, and the writer is not changed.
        name: what messages call the file.
        break_signature: write into files with content credentials (C2PA) too, which are invalid afterwards.

    Returns:
        The new file's bytes: same compressed pixels, same other metadata.

    Raises:
        ImageError: as `read_description`; `metadata` also when the texts do not fit; `signed` for a file with
            content credentials.

    >>> import io; from PIL import Image
    >>> file = io.BytesIO(); Image.new("RGB", (8, 8)).save(file, "PNG")
    >>> described = embed_description(file.getvalue(), Description("A black square.", language="en"))
    >>> read_description(described).description
    'A black square.'
    >>> remove_description(described) == file.getvalue()
    True
    """
    with _damage_is_image_error(name):
        container = open_container(data, name)
        packet = _main_packet(container)
        languages = (DEFAULT_LANGUAGE, description.language) if description.language else (DEFAULT_LANGUAGE,)
        wanted = {
            field: dict.fromkeys(languages, text) if text else _restored(packet, field, Description())
            for field, text in description.texts().items()
        }
        packet = _edited(_main_packet(container), wanted, description, joined_to=joined_to)
        return _write(container, packet, name, break_signature=break_signature)


def restore_description(
    data: bytes,
    previous: Description | None,
    *,
    marks: Mapping[str, str] | None = None,
    name: str = _NAME,
    break_signature: bool = False,
) -> bytes:
    """Undo `embed_description`: make the description what `read_description` said before.

    Args:
        data: the file's bytes, whatever other programs have changed in it since.
        previous: what was read before; None when there was none.
        marks: what `read_marks` gave before. Without it, a file in which a person wrote one text and a machine another
            ends up without a mark.
        name: what messages call the file.
        break_signature: as for `embed_description`.

    Returns:
        The file's bytes. If leyenda had added all of the file's XMP, they equal those before. What a language other
        than the default's said differently is not in `previous`; `read_xmp` and `write_xmp` keep that, too.

    Raises:
        ImageError: as `embed_description`.
    """
    with _damage_is_image_error(name):
        container = open_container(data, name)
        packet = _main_packet(container)
        previous = previous or Description()
        wanted = {field: _restored(packet, field, previous) for field in TEXT_FIELDS}
        packet = _edited(packet, wanted, previous, exactly=True, marks=marks or {})
        return _write(container, packet, name, break_signature=break_signature)


def remove_description(data: bytes, *, name: str = _NAME, break_signature: bool = False) -> bytes:
    """Take the description out: its texts in the default language and in those leyenda wrote, and its writer.

    Args:
        data: the file's bytes.
        name: what messages call the file.
        break_signature: as for `embed_description`.

    Raises:
        ImageError: as `embed_description`.
    """
    return restore_description(data, None, name=name, break_signature=break_signature)


def read_xmp(data: bytes, *, name: str = _NAME) -> bytes | None:
    """The XMP packet of a picture file as it is; None when there is none. For an undo that is exact.

    Raises:
        ImageError: as `read_description`.
    """
    with _damage_is_image_error(name):
        return open_container(data, name).packet


def write_xmp(data: bytes, packet: bytes | None, *, name: str = _NAME) -> bytes:
    """Put an XMP packet that `read_xmp` gave back into a picture file; None takes the file's packet out.

    What other programs have written into the file's packet meanwhile is lost; `restore_description` keeps it.

    Raises:
        ImageError: as `embed_description`.
    """
    with _damage_is_image_error(name):
        return _verified(open_container(data, name), packet, name)


def read_marks(data: bytes, *, name: str = _NAME) -> dict[str, str]:
    """The properties with which leyenda marks texts, as they are, for `restore_description`.

    Raises:
        ImageError: as `read_description`.
    """
    with _damage_is_image_error(name):
        packet = _main_packet(open_container(data, name))
        found = {mark.local: packet.text(mark) for mark in MARK}
    return {local: text for local, text in found.items() if text is not None}


def is_same_picture(data: bytes, other: bytes, *, name: str = _NAME) -> bool:
    """Whether two files differ in nothing but their XMP packets.

    Raises:
        ImageError: as `read_description`.
    """
    if data == other:
        return True
    with _damage_is_image_error(name):
        return open_container(data, name).payload() == open_container(other, name).payload()


def _packets(container: Container) -> list[XmpPacket]:
    return [XmpPacket(raw) for raw in (container.packet, container.extended) if raw is not None]


def _main_packet(container: Container) -> XmpPacket:
    return XmpPacket(container.packet)


def _read(packets: Iterable[XmpPacket]) -> Description | None:
    for packet in packets:
        texts = _default_texts(packet)
        if texts or read_writer(packet) is not None:
            return _described(packet, texts)
    return None


def _described(packet: XmpPacket, texts: Mapping[str, str]) -> Description:
    mark = read_mark(packet, texts)
    ai_generated = mark is not None and bool(texts) and set(texts) <= set(mark.fields)
    writer = mark.model if mark and ai_generated else read_writer(packet)
    language = mark.languages[-1] if mark and mark.languages else _language(packet, texts)
    return Description(**texts, language=language, writer=writer, ai_generated=ai_generated)


def _default(alternatives: Mapping[str, str]) -> str:
    return alternatives.get(DEFAULT_LANGUAGE, next(iter(alternatives.values())))


def _language(packet: XmpPacket, texts: Mapping[str, str]) -> str | None:
    """The language whose text is the default one, too."""
    for field, text in texts.items():
        for language, other in packet.alternatives(TEXT_PROPERTIES[field]).items():
            if language != DEFAULT_LANGUAGE and other == text and is_language_tag(language):
                return language
    return None


def _restored(packet: XmpPacket, field: str, previous: Description) -> dict[str, str | None]:
    """What to write so that a field says what it said before, and nothing in the languages that leyenda added."""
    now = packet.alternatives(TEXT_PROPERTIES[field])
    same = [language for language, text in now.items() if text == now.get(DEFAULT_LANGUAGE)]
    text = getattr(previous, field)
    wanted: dict[str, str | None] = {DEFAULT_LANGUAGE: text}
    if previous.language and text is not None:
        wanted[previous.language] = text
    done = {language.lower() for language in wanted}
    ours = marked_languages(packet)
    ours = (
        ours[-1:] if previous.ai_generated else ours
    )  # the languages before the last were leyenda's then, too
    added = [language for language in (*same, *ours) if language.lower() not in done]
    return wanted | dict.fromkeys(added)


def _write(container: Container, packet: XmpPacket, name: str, *, break_signature: bool) -> bytes:
    if container.signed and not break_signature:
        raise ImageError(
            "signed",
            f"{name} carries content credentials (C2PA), which any change of the file makes invalid.",
            "Write its description beside it (--to sidecar), or allow it with break_signature.",
        )
    _check_extended(container)
    raw = None if packet.is_ours_and_empty else bytes(packet)
    if raw == container.packet:
        return container.data
    try:
        return _verified(container, raw, name)
    except NoRoom:
        return _verified(container, bytes(packet.without_padding()), name)


def _check_extended(container: Container) -> None:
    if container.extended is None:
        return
    if any(XmpPacket(container.extended).holds(name) for name in EVERY_PROPERTY):
        raise Damaged("metadata", "a description stands in its extended XMP, which leyenda does not change")


def _edited(
    packet: XmpPacket,
    wanted: Mapping[str, Mapping[str, str | None]],
    description: Description,
    *,
    joined_to: Collection[str] = (),
    exactly: bool = False,
    marks: Mapping[str, str] | None = None,
) -> XmpPacket:
    before = read_mark(packet, _default_texts(packet))
    persons = set(joined_to) - set(before.fields if before else ())
    languages = marked_languages(packet)[: -1 if exactly else None]
    for field, texts in wanted.items():
        packet = packet.with_alternatives(TEXT_PROPERTIES[field], texts)
    texts_now = _default_texts(packet)
    if description.ai_generated:
        written = {field for field, texts in wanted.items() if field in texts_now} - persons
        kept = set(before.fields) & set(texts_now) if before else set()
        fields = tuple(field for field in TEXT_FIELDS if field in written | kept)
        mark = (
            Mark(description.writer, fields, _with_last(languages, description.language)) if fields else None
        )
        if not persons or (read_writer(packet) is None and "description" not in persons):
            packet = packet.with_text(CAPTION_WRITER, writer_words(description.writer))
    else:
        mark = None
        if description.writer is not None or exactly or wrote_it(packet):
            packet = packet.with_text(CAPTION_WRITER, description.writer or None)
    packet = with_mark(packet, mark, texts_now)
    for mark_name in MARK if marks else ():
        packet = packet.with_text(mark_name, (marks or {}).get(mark_name.local))
    return packet.without_own_empty_blocks()


def _with_last(languages: tuple[str, ...], last: str | None) -> tuple[str, ...]:
    return languages if last is None else (*(known for known in languages if known != last), last)


def _default_texts(packet: XmpPacket) -> dict[str, str]:
    found = {field: packet.alternatives(name) for field, name in TEXT_PROPERTIES.items()}
    texts = {field: _default(alternatives) for field, alternatives in found.items() if alternatives}
    return {field: text for field, text in texts.items() if text.strip()}


def _verified(container: Container, packet: bytes | None, name: str) -> bytes:
    """The new file, parsed again: the packet is in it, and the payload is what it was."""
    data = container.with_packet(packet)
    try:
        again = open_container(data, name)
        same = again.packet == packet and again.payload() == container.payload()
    except Damaged:
        same = False
    if not same:
        raise Damaged("unreadable", "a description cannot be put into it without changing something else")
    return data


@contextmanager
def _damage_is_image_error(name: str) -> Iterator[None]:
    try:
        yield
    except NotXml as error:
        raise ImageError(
            "metadata", f"{name} has XMP metadata that cannot be read: {error}.", _MEND
        ) from error
    except NoRoom as error:
        raise ImageError(
            "metadata", f"{name} has no room for the description: {error}.", "Shorten it."
        ) from error
    except Damaged as error:
        mend = "Copy or download it again." if error.code == "truncated" else _MEND
        raise ImageError(error.code, f"{name} cannot take or give a description: {error}.", mend) from error


_MEND = "Save it anew with a picture program, or write its description beside it (--to sidecar)."
