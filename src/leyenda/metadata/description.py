"""What a picture file says of its picture in words, and who wrote the words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from leyenda.errors import LeyendaError

TEXT_FIELDS = ("description", "alt_text", "extended_description")

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped (its section 2.2)."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def is_language_tag(tag: str) -> bool:
    """Whether it has the form of a BCP 47 tag of a language.

    >>> is_language_tag("zh-Hant-TW"), is_language_tag("x-default")
    (True, False)
    """
    return bool(_LANGUAGE.fullmatch(tag))


@dataclass(frozen=True)
class Description:
    r"""The descriptive texts of one picture.

    In a text, None means that nothing is said: `embed_description` leaves such a field as it is, and
    `read_description` found none. An empty text takes the field out. Characters that XML cannot hold (control
    characters other than tab and line ends, halves of surrogate pairs) are left out.

    Args:
        description: what the picture shows, in a sentence or a few (`dc:description`, IPTC "Description").
        alt_text: what stands in for the picture when it is not seen; IPTC advises at most 250 characters.
        extended_description: more than the alt text has room for, for complex pictures.
        language: BCP 47 tag of the language of the texts, for example `en` or `pt-BR`; None when not known.
        writer: who wrote them; for machine-written texts, the model's name.
        ai_generated: whether a machine wrote them. It says nothing of how the picture was made.

    Raises:
        LeyendaError: the language is no BCP 47 tag.

    >>> Description("A dog\x00 runs.", language="en").description
    'A dog runs.'
    """

    description: str | None = None
    alt_text: str | None = None
    extended_description: str | None = None
    language: str | None = None
    writer: str | None = None
    ai_generated: bool = False

    def __post_init__(self) -> None:
        for field in (*TEXT_FIELDS, "writer"):
            text = getattr(self, field)
            if text is not None:
                object.__setattr__(self, field, _NOT_IN_XML.sub("", text))
        if self.language is not None and not is_language_tag(self.language):
            raise LeyendaError(
                f"{self.language!r} is no language tag.",
                "Write it as BCP 47 does, for example en, es or pt-BR.",
            )

    def texts(self) -> dict[str, str]:
        """The texts that are not None, by field."""
        return {field: text for field in TEXT_FIELDS if (text := getattr(self, field)) is not None}
