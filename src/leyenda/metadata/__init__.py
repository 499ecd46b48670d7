"""Descriptions inside picture files: written, read, taken out again, and never a pixel encoded anew."""

from leyenda.metadata.description import Description
from leyenda.metadata.embedding import (
    embed_description,
    is_same_picture,
    read_description,
    read_marks,
    read_xmp,
    remove_description,
    restore_description,
    write_xmp,
)
from leyenda.metadata.older_captions import caption_before_xmp, read_older_captions

__all__ = [
    "Description",
    "caption_before_xmp",
    "embed_description",
    "is_same_picture",
    "read_description",
    "read_marks",
    "read_older_captions",
    "read_xmp",
    "remove_description",
    "restore_description",
    "write_xmp",
]
