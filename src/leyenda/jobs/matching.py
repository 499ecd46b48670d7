"""Which caption belongs to which references, when two files name the same pictures each in its own way."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from leyenda.errors import ScoreError
from leyenda.jobs.references import Reference

NAMED = 20
"""How many pictures an error message lists."""


@dataclass(frozen=True)
class Matched:
    """Captions beside references.

    Args:
        pairs: picture of the captions -> its reference.
        by: way of matching (`file name`, `name without ending`) -> how many pictures it matched; without those whose
            full names are equal.
        without_references: pictures of the captions.
        without_caption: pictures of the references.
    """

    pairs: Mapping[str, Reference]
    by: Mapping[str, int]
    without_references: tuple[str, ...]
    without_caption: tuple[str, ...]

    def notes(self) -> list[str]:
        """What should be said about the matching, one sentence each."""
        said = [
            f"{pictures(count)} matched by {way}: the full names in the two files differ."
            for way, count in self.by.items()
        ]
        if self.without_caption:
            said.append(
                f"Left out: {pictures(len(self.without_caption))} without a caption: {some(self.without_caption)}."
            )
        if self.without_references:
            said.append(
                f"Left out: {pictures(len(self.without_references))} without references: "
                f"{some(self.without_references)}."
            )
        return said


def match(
    captions: Sequence[str],
    references: Iterable[Reference],
    *,
    only_common: bool = False,
    whose: str = "captions",
) -> Matched:
    """Find the references of every caption.

    Names are compared as they are; those that fit nothing by the file's name without folders, and then without its
    ending, as long as only one picture on each side is called that.

    Args:
        captions: names of the pictures that have captions.
        references: of pictures.
        only_common: leave out what stands on one side only; otherwise that is an error.
        whose: the captions' file, for messages.

    Raises:
        ScoreError: pictures without a caption or without references, and not `only_common`; or none in common.
    """
    there = list(references)
    pairs: dict[str, Reference] = {}
    by: dict[str, int] = {}
    for way, called in _WAYS.items():
        open_names = [name for name in captions if name not in pairs]
        taken = {id(reference) for reference in pairs.values()}
        found = _same(open_names, captions, [each for each in there if id(each) not in taken], there, called)
        pairs |= found
        if found and way:
            by[way] = len(found)
    taken = {id(reference) for reference in pairs.values()}
    matched = Matched(
        {name: pairs[name] for name in captions if name in pairs},
        by,
        tuple(name for name in captions if name not in pairs),
        tuple(each.id for each in there if id(each) not in taken),
    )
    if not only_common or not pairs:
        _refuse_unmatched(matched, whose, captions, there)
    return matched


def pictures(count: int) -> str:
    """A number of pictures in words.

    >>> pictures(1), pictures(1200)
    ('1 picture', '1,200 pictures')
    """
    return "1 picture" if count == 1 else f"{count:,} pictures"


def some(names: Sequence[str]) -> str:
    """The first few names and how many more there are."""
    listed = ", ".join(repr(name) for name in names[:NAMED])
    return listed + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0]


_WAYS: dict[str, Callable[[str], str]] = {
    "": lambda name: name,
    "file name": os.path.basename,
    "name without ending": _stem,
}


def _same(
    open_names: Sequence[str],
    all_names: Sequence[str],
    open_references: Sequence[Reference],
    all_references: Sequence[Reference],
    called: Callable[[str], str],
) -> dict[str, Reference]:
    """Pictures that are called the same on both sides, and so is no other picture on either side."""
    captions = Counter(called(name) for name in all_names)
    references = Counter(each for reference in all_references for each in _names(reference, called))
    holders = {each: reference for reference in open_references for each in _names(reference, called)}
    found = {}
    for name in open_names:
        same = called(name)
        if same in holders and captions[same] == references[same] == 1:
            found[name] = holders.pop(same)
    return found


def _names(reference: Reference, called: Callable[[str], str]) -> set[str]:
    return {called(reference.id)} | ({called(reference.number)} if reference.number else set())


def _refuse_unmatched(
    matched: Matched, whose: str, captions: Sequence[str], references: Sequence[Reference]
) -> None:
    if not matched.pairs:
        raise ScoreError(
            f"No picture of {whose} has references: its names are like {captions[0]!r}, those of the references "
            f"like {references[0].id!r}.",
            "Use the same names, at least of the files, in both.",
        )
    wrong = []
    if matched.without_caption:
        wrong.append(
            f"{pictures(len(matched.without_caption))} of the references without a caption: "
            f"{some(matched.without_caption)}"
        )
    if matched.without_references:
        wrong.append(
            f"{pictures(len(matched.without_references))} without references: {some(matched.without_references)}"
        )
    if wrong:
        raise ScoreError(
            f"{whose} has {'; and '.join(wrong)}.",
            f"Mend the files, or score the {pictures(len(matched.pairs))} in common by adding --only-common "
            "(or, of a source in splits, choose one with --split).",
        )
