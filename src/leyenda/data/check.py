"""Everything that is wrong with a data set, in one go, each problem with its file and line."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from leyenda.data.caption_loss import losses
from leyenda.data.duplicates import NEAR_DISTANCE, NO_FINGERPRINT, Fingerprint, fingerprint, near_duplicates
from leyenda.data.examples import Examples
from leyenda.data.progress import steps
from leyenda.errors import ImageError
from leyenda.images.model_input import check_shape
from leyenda.images.opening import describe, open_picture
from leyenda.records import Example, Origin

KINDS = {
    "missing_image": "pictures that are not there",
    "empty_image": "picture files without a byte in them",
    "truncated_image": "pictures that end too early",
    "unreadable_image": "files that are no picture one can caption",
    "too_large_image": "pictures with more pixels than is safe",
    "outside_folder": "pictures outside the data set's folder",
    "no_caption": "pictures without a caption",
    "empty_caption": "captions without a word",
    "duplicate_image": "pictures with the same bytes as another",
    "near_duplicate_image": "pictures that look the same as another",
    "split_leak": "pictures that stand in two splits",
    "unknown_token": "captions with characters that the model does not know",
    "lost_case": "captions whose capital letters the model drops",
    "lost_accent": "captions whose accents the model drops",
    "changed": "captions that the model cannot write as they are",
    "too_long": "captions that are cut for their length",
}
"""Kind of problem -> what it is called in a summary."""

_KIND_OF_IMAGE_ERROR = {
    "missing": "missing_image",
    "empty": "empty_image",
    "truncated": "truncated_image",
    "too_large": "too_large_image",
}

_AT_ONCE = 512
"""Pictures handed to the threads at once."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a data set.

    Args:
        kind: a key of `KINDS`.
        id: the image's id.
        file: the user's file that it stands in.
        line: line in that file, from 1; 0 where there are none.
        message: what is wrong, in words.
    """

    kind: str
    id: str
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = str(Origin(self.file, self.line)) or self.id
        return f"{place}: {self.kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Args:
        problems: in the order of the data; those of one image stand together.
        images: how many images were checked.
        captions: how many captions were checked.
    """

    problems: tuple[Problem, ...]
    images: int
    captions: int

    def counts(self) -> dict[str, int]:
        """Kind -> how many problems of that kind, in the order of `KINDS`; only kinds that were found."""
        found = Counter(problem.kind for problem in self.problems)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    def as_json(self) -> dict[str, Any]:
        """The object that `leyenda data check --json` prints."""
        return {
            "images": self.images,
            "captions": self.captions,
            "counts": self.counts(),
            "problems": [
                {
                    "kind": problem.kind,
                    "id": problem.id,
                    "file": problem.file,
                    "line": problem.line or None,
                    "message": problem.message,
                }
                for problem in self.problems
            ],
        }


class _Look(NamedTuple):
    """What opening one picture told."""

    error: ImageError | None = None
    digest: bytes = b""
    fingerprint: Fingerprint = NO_FINGERPRINT


def check(
    examples: Examples,
    *,
    tokenizer: Any = None,
    max_caption_tokens: int | None = None,
    near_distance: int = NEAR_DISTANCE,
) -> CheckReport:
    """Look at every picture and every caption and list what is wrong.

    Args:
        examples: from any source; splits are checked as they are.
        tokenizer: a `transformers` tokenizer; None leaves out what depends on the model.
        max_caption_tokens: longest caption in the tokenizer's tokens, the special ones included; None: no limit.
        near_distance: most bits in which the perceptual hashes of near duplicates differ, 0 to 63.

    Returns:
        The problems, whose kinds are the keys of `KINDS`.
    """
    numbered: list[tuple[int, Problem]] = []
    looks: list[_Look] = []
    root = os.path.realpath(examples.root) if examples.root else ""
    for number, (example, look) in enumerate(_looked_at(examples)):
        looks.append(look)
        numbered.extend(
            (number, problem) for problem in _problems_alone(examples, number, example, look, root)
        )
    numbered.extend(_problems_of_pairs(examples, looks, near_distance))
    if tokenizer is not None:
        numbered.extend(_problems_of_captions(examples, tokenizer, max_caption_tokens))
    numbered.sort(key=lambda pair: pair[0])
    return CheckReport(tuple(problem for _, problem in numbered), len(examples), len(examples.captions()))


def _looked_at(examples: Examples) -> Iterator[tuple[Example, _Look]]:
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        steps("Opening pictures", len(examples)) as step,
    ):
        for start in range(0, len(examples), _AT_ONCE):
            some = list(examples[start : start + _AT_ONCE])
            for example, look in zip(some, pool.map(_look, some), strict=True):
                step()
                yield example, look


def _look(example: Example) -> _Look:
    try:
        picture = open_picture(example.image)
        check_shape(picture)
        digest = hashlib.sha256(example.image.read()).digest()
    except ImageError as error:
        return _Look(error)
    except OSError as error:  # it vanished between the two
        return _Look(ImageError("unreadable", f"{describe(example.image)} cannot be read: {error}."))
    return _Look(None, digest, fingerprint(picture))


def _problems_alone(
    examples: Examples, number: int, example: Example, look: _Look, root: str
) -> Iterator[Problem]:
    def problem(kind: str, message: str, origin: Origin = example.origin) -> Problem:
        return Problem(kind, example.id, origin.file, origin.line, message)

    if look.error is not None:
        yield problem(_KIND_OF_IMAGE_ERROR.get(look.error.code, "unreadable_image"), str(look.error))
    if root and example.image.path and _is_outside(example.image.path, root):
        yield problem("outside_folder", f"{example.image.path!r} lies outside the folder {examples.root!r}.")
    if not example.captions:
        yield problem("no_caption", f"{example.id!r} has no caption.")
    for position, caption in enumerate(example.captions):
        if not caption:
            origin = examples.caption_origin(number, position)
            yield problem("empty_caption", f"A caption of {example.id!r} is empty.", origin)


def _is_outside(path: str, root: str) -> bool:
    return os.path.commonpath([os.path.realpath(path), root]) != root


def _problems_of_pairs(
    examples: Examples, looks: list[_Look], near_distance: int
) -> Iterator[tuple[int, Problem]]:
    """Pictures seen before, each reported where it comes up again."""
    ids, splits = examples.ids(), examples.table.column("split").to_pylist()

    def problem(number: int, kind: str, message: str) -> tuple[int, Problem]:
        origin = examples[number].origin
        return number, Problem(kind, ids[number], origin.file, origin.line, message)

    def leak(number: int, other: int, relation: str) -> tuple[int, Problem]:
        message = f"{ids[number]!r} in {splits[number]!r} {relation} {ids[other]!r} in {splits[other]!r}."
        return problem(number, "split_leak", message)

    copies = _copies(looks)
    for numbers in copies:
        for number in numbers[1:]:
            yield problem(
                number, "duplicate_image", f"{ids[number]!r} is the same file as {ids[numbers[0]]!r}."
            )
        for number, other in _across_splits(numbers, splits):
            yield leak(number, other, "is the same file as")
    # Copies with the same bytes look alike as well; only the first of them is compared with other pictures.
    firsts = [numbers[0] for numbers in copies]
    looks_like: dict[int, list[int]] = {}
    for one, other in near_duplicates([looks[number].fingerprint for number in firsts], near_distance):
        looks_like.setdefault(firsts[other], []).append(firsts[one])
    for number, others in looks_like.items():
        listed = _listed([ids[other] for other in others])
        yield problem(number, "near_duplicate_image", f"{ids[number]!r} looks the same as {listed}.")
        for later, earlier in _across_splits([*others, number], splits):
            if later == number:
                yield leak(number, earlier, "looks the same as")


def _copies(looks: list[_Look]) -> list[list[int]]:
    """Positions of the pictures that open, those of the same bytes together."""
    copies: dict[bytes, list[int]] = {}
    for number, look in enumerate(looks):
        if look.error is None:
            copies.setdefault(look.digest, []).append(number)
    return list(copies.values())


def _across_splits(numbers: list[int], splits: list[str | None]) -> Iterator[tuple[int, int]]:
    """Each of these pictures that has an earlier one in another split, with the first such one."""
    first_in: dict[str, int] = {}
    for number in numbers:
        split = splits[number]
        if split is None:
            continue
        others = [earlier for name, earlier in first_in.items() if name != split]
        if others:
            yield number, others[0]
        first_in.setdefault(split, number)


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return f"{shown} and {len(names) - 3:,} more" if len(names) > 3 else shown


def _problems_of_captions(
    examples: Examples, tokenizer: Any, max_caption_tokens: int | None
) -> Iterator[tuple[int, Problem]]:
    ids = examples.ids()
    lengths = [len(captions) for captions in examples.table.column("captions").to_pylist()]
    owners = [(number, position) for number, length in enumerate(lengths) for position in range(length)]
    for (number, position), found in zip(
        owners, losses(examples.captions(), tokenizer, max_caption_tokens), strict=True
    ):
        for kind, message in found:
            origin = examples.caption_origin(number, position)
            yield number, Problem(kind, ids[number], origin.file, origin.line, message)
