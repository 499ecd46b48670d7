"""The data formats: each is one file here and one line in the registry."""

from __future__ import annotations

from leyenda.data.formats.coco import COCO
from leyenda.data.formats.delimited import CSV, TSV
from leyenda.data.formats.flickr8k import FLICKR8K
from leyenda.data.formats.format import Format, ReadOptions
from leyenda.data.formats.hub import HUB
from leyenda.data.formats.imagefolder import IMAGEFOLDER
from leyenda.data.formats.json_lines import JSON_LINES
from leyenda.data.formats.karpathy import KARPATHY
from leyenda.data.formats.parquet import PARQUET
from leyenda.data.formats.saved_dataset import SAVED_DATASET
from leyenda.data.formats.sidecar import SIDECAR
from leyenda.data.formats.webdataset import WEBDATASET

FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        # In the order in which a source is tried: first what a file's name tells, last what needs a look at every file.
        SAVED_DATASET,
        IMAGEFOLDER,
        WEBDATASET,
        FLICKR8K,
        PARQUET,
        CSV,
        TSV,
        JSON_LINES,
        KARPATHY,
        COCO,
        SIDECAR,
        HUB,
    )
}

__all__ = ["FORMATS", "Format", "ReadOptions"]
