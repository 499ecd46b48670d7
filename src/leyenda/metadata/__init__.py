"""Descriptions inside picture files: written, read, taken out again, and never a pixel encoded anew."""

from leyenda.metadata.description import Description
from leyenda.metadata.embedding import (
    embed_description,
    read_description,
    read_xmp,
    remove_description,
    restore_description,
    write_xmp,
)
from leyenda.metadata.older_captions import read_older_captions

__all__ = [
    "Description",
    "embed_description",
    "read_description",
    "read_older_captions",
    "read_xmp",
    "remove_description",
    "restore_description",
    "write_xmp",
]
