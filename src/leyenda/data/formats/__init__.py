"""The data formats: each is one file here and one line in the registry."""

from __future__ import annotations

from leyenda.data.formats.delimited import CSV, TSV
from leyenda.data.formats.format import Format, Reading, ReadOptions
from leyenda.data.formats.imagefolder import IMAGEFOLDER

FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        # In the order in which a source is tried.
        IMAGEFOLDER,
        CSV,
        TSV,
    )
}

__all__ = ["FORMATS", "Format", "ReadOptions", "Reading"]
