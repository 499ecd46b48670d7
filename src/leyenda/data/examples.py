"""A data set in memory: one row an image, with all its captions, held in Arrow columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from leyenda.data.gather import SCHEMA, Row, gather
from leyenda.errors import DataError, near
from leyenda.records import Example, ImageSource, Origin

ITERATION_ROWS = 1024
"""Rows turned into Python objects at once while iterating."""

FIRST_SPLITS = ("train", "validation", "test")


class Examples(Sequence[Example]):
    """A sequence of `Example` over an Arrow table; 100,000 pairs are tens of megabytes.

    Args:
        table: columns as in `leyenda.data.gather.SCHEMA`; ids are unique.
        root: absolute folder that the pictures' names are relative to; empty where there is none.

    >>> pair = Example("a.jpg", ImageSource("a.jpg"), ("a dog", "a brown dog"), split="train")
    >>> examples = Examples.from_rows([pair])
    >>> len(examples), examples.splits(), examples[0].captions
    (1, {'train': 1}, ('a dog', 'a brown dog'))
    """

    def __init__(self, table: pa.Table, root: str = "") -> None:
        self._table = table.combine_chunks()
        self._columns = [self._table.column(name) for name in SCHEMA.names]
        self.root = root

    @classmethod
    def from_rows(cls, rows: Iterable[Example], root: str = "") -> Examples:
        """Examples from an iterable, which is read once and not kept.

        Args:
            rows: examples; those of one id and split that are one picture become one, with all captions.
            root: folder that the pictures belong in.

        Raises:
            DataError: two different pictures have the same id.
        """
        return cls(gather(_as_row(example) for example in rows), root)

    @property
    def table(self) -> pa.Table:
        """The Arrow table behind the examples (`leyenda.data.gather.SCHEMA`)."""
        return self._table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Examples: ...
    def __getitem__(self, index: int | slice) -> Example | Examples:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return Examples(self._table.slice(start, max(0, stop - start)), self.root)
            return self.select(range(start, stop, step))
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"there are {len(self)} examples; {index} is outside")
        return _as_example(*(column[position].as_py() for column in self._columns[:8]))

    def __iter__(self) -> Iterator[Example]:
        for start in range(0, len(self), ITERATION_ROWS):
            rows = self._table.slice(start, ITERATION_ROWS)
            yield from map(_as_example, *(rows.column(name).to_pylist() for name in SCHEMA.names[:8]))

    def __eq__(self, other: object) -> bool:
        """Whether both have equal ids, captions and splits in the same order; where the pictures lie is no part."""
        if not isinstance(other, Examples):
            return NotImplemented
        return all(
            self._table.column(name).equals(other._table.column(name)) for name in ("id", "captions", "split")
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Examples({len(self)} images, splits {self.splits()})"

    def select(self, indices: Iterable[int]) -> Examples:
        """The examples at these positions (from 0), in this order."""
        return Examples(self._table.take(pa.array(indices, pa.int64())), self.root)

    def split(self, name: str) -> Examples:
        """The examples of one split, in order.

        Raises:
            DataError: there is no such split.
        """
        splits = self.splits()
        if name not in splits:
            known = ", ".join(splits) or "none yet"
            raise DataError(f"There is no split {name!r}: the splits are {known}.", near(name, splits))
        return Examples(self._table.filter(pc.equal(self._table.column("split"), name)), self.root)

    def splits(self) -> dict[str, int]:
        """Split name -> number of images: train, validation, test, then others; images without a split are left out."""
        counted = self._table.column("split").drop_null().value_counts()
        counts = {entry["values"]: entry["counts"] for entry in counted.to_pylist()}
        order = [name for name in FIRST_SPLITS if name in counts]
        return {name: counts[name] for name in order + sorted(counts.keys() - set(order))}

    def with_splits(self, splits: Sequence[str | None]) -> Examples:
        """The same examples with these splits, one for each, in order; None leaves an image in no split.

        Raises:
            ValueError: not one split for each example.
        """
        if len(splits) != len(self):
            raise ValueError(f"{len(splits)} splits for {len(self)} examples")
        column = self._table.schema.get_field_index("split")
        return Examples(self._table.set_column(column, "split", pa.array(splits, pa.string())), self.root)

    def ids(self) -> list[str]:
        """The id of every example, in order."""
        return list(self._table.column("id").to_pylist())

    def captions(self) -> list[str]:
        """Every caption of every example, in order."""
        return list(pc.list_flatten(self._table.column("captions")).to_pylist())

    def caption_origin(self, index: int, caption: int) -> Origin:
        """Where one caption of one example stands in the user's data, both counted from 0."""
        lines = self._table.column("caption_lines")[index].as_py()
        return Origin(self._table.column("origin_file")[index].as_py(), lines[caption])


def _as_row(example: Example) -> Row:
    image, origin = example.image, example.origin
    return Row(
        example.id,
        example.captions,
        example.split,
        image.path,
        image.offset,
        image.size,
        origin.file,
        origin.line,
    )


def _as_example(
    name: str,
    path: str,
    offset: int,
    size: int | None,
    captions: list[str],
    split: str | None,
    file: str,
    line: int,
    *_: Any,
) -> Example:
    return Example(name, ImageSource(path, offset, size), tuple(captions), split, Origin(file, line))
