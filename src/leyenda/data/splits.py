"""Which images are for training, for choosing the best model, and for the final score."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from leyenda.data.examples import Examples
from leyenda.errors import DataError, DiskError


def assign_splits(
    examples: Examples, *, validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> Examples:
    """Put every image in a split; all captions of an image stay together.

    An image's place follows from its id and the seed alone, so adding or removing images moves no other
    image across; in exchange the sizes are near the shares asked for, not exactly them. Splits that the
    source gives are kept, with one exception: a source that gives `train` but no `validation` (or no
    `test`) lacks what training needs, and the missing one is taken out of its `train`, by the same rule.

    Args:
        examples: from any source.
        validation: share of the images for choosing the best model, in [0, 1).
        test: share of the images for the final score, in [0, 1).
        seed: another seed gives other splits.

    Returns:
        The same examples in the same order, each with a split.

    Raises:
        DataError: shares that are negative or leave nothing to train on.

    >>> from leyenda.records import Example, ImageSource
    >>> rows = [Example(f"{n}.jpg", ImageSource(f"{n}.jpg"), ("a dog",)) for n in range(1000)]
    >>> assign_splits(Examples.from_rows(rows)).splits()
    {'train': 819, 'validation': 86, 'test': 95}
    """
    _check_shares(validation, test)
    place = _placing(examples, validation, test)
    given = examples.table.column("split").to_pylist()
    splits = [place(_uniform(seed, name), split) for name, split in zip(examples.ids(), given, strict=True)]
    return examples.with_splits(splits)


def taken_shares(examples: Examples, *, validation: float, test: float) -> dict[str, float]:
    """The shares that `assign_splits` will go by: not those of splits that the source itself gives.

    >>> from leyenda.records import Example, ImageSource
    >>> rows = [Example("1", ImageSource("1"), (), "train"), Example("2", ImageSource("2"), (), "test")]
    >>> taken_shares(Examples.from_rows(rows), validation=0.1, test=0.2)
    {'validation': 0.1}
    """
    shares = {"validation": validation, "test": test}
    if examples.table.column("split").null_count:
        return shares
    return {name: share for name, share in shares.items() if name not in examples.splits()}


def describe_splits(examples: Examples, *, validation: float | None = None, test: float | None = None) -> str:
    """The sizes of the splits in words, with the shares that were asked for.

    >>> from leyenda.records import Example, ImageSource
    >>> rows = [Example(f"{n}", ImageSource(f"{n}"), (), "test" if n else "train") for n in range(4)]
    >>> describe_splits(Examples.from_rows(rows), test=0.5)
    'train: 1 image (25.0 %); test: 3 images (75.0 %, asked for 50 %)'
    """
    asked = {"validation": validation, "test": test}
    sizes = examples.splits()
    missing = {name: 0 for name, share in asked.items() if share and name not in sizes}
    return "; ".join(
        _describe(name, size, len(examples), asked.get(name)) for name, size in (sizes | missing).items()
    )


def write_splits(examples: Examples, path: Path) -> None:
    """Write a CSV file with the columns `id` and `split`; it appears whole or not at all.

    Raises:
        DiskError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("id", "split"))
            rows.writerows(zip(examples.ids(), examples.table.column("split").to_pylist(), strict=True))
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DiskError(
            f"{path} cannot be written: {error.strerror or error}.", "Name another file."
        ) from error


def _describe(name: str, size: int, total: int, share: float | None) -> str:
    images = "1 image" if size == 1 else f"{size:,} images"
    asked = "" if share is None else f", asked for {100 * share:g} %"
    return f"{name}: {images} ({100 * size / total:.1f} %{asked})"


def _check_shares(validation: float, test: float) -> None:
    for name, share in (("validation", validation), ("test", test)):
        if not 0 <= share < 1:  # written so that NaN fails as well
            raise DataError(f"The {name} share must be at least 0 and less than 1, not {share:g}.")
    if validation + test >= 1:
        raise DataError(
            f"Shares of {validation:g} for validation and {test:g} for test leave nothing to train on.",
            "Together they must be less than 1.",
        )


def _placing(examples: Examples, validation: float, test: float) -> Callable[[float, str | None], str]:
    sizes = examples.splits()
    takes_from_train = {name for name in ("validation", "test") if name not in sizes}

    def place(number: float, given: str | None) -> str:
        drawn = "test" if number < test else "validation" if number < test + validation else "train"
        if given is None or (given == "train" and drawn in takes_from_train):
            return drawn
        return given

    return place


def _uniform(seed: int, name: str) -> float:
    """A number in [0, 1) that depends on nothing but the seed and the id."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
