"""Caption files beside their pictures: `a.txt` or `a.jpg.txt` for `a.jpg`, in a folder or in a tar file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from os.path import splitext

from leyenda.errors import DataError, near
from leyenda.images.names import is_picture


def captions_beside(
    names: Collection[str], endings: tuple[str, ...], chosen: str | None, source: str
) -> dict[str, str | None]:
    """For each picture among the names its caption file, or None.

    Args:
        names: all files, pictures among them.
        endings: of caption files, such as `.txt`.
        chosen: the one ending that the user wants, with or without its dot.
        source: for messages.

    Returns:
        Picture -> caption file, in the order of the names.

    Raises:
        DataError: a caption file fits several pictures, or a picture has several.
    """
    if chosen is not None:
        endings = (_known_ending(chosen, endings),)
    files = {name for name in names if name.endswith(endings)}
    found = {name: _beside(name, files, endings, source) for name in names if is_picture(name)}
    owner: dict[str, str] = {}
    for picture, captions in found.items():
        if captions is None:
            continue
        if captions in owner:
            raise DataError(
                f"{source}: the captions {captions!r} could belong to {owner[captions]!r} and to {picture!r}.",
                f"Name them after the whole file: {owner[captions]}{splitext(captions)[1]}.",
            )
        owner[captions] = picture
    return found


def _known_ending(chosen: str, endings: Iterable[str]) -> str:
    wanted = "." + chosen.removeprefix(".")
    if wanted not in endings:
        known = ", ".join(ending[1:] for ending in endings)
        raise DataError(f"Caption files end in {known}, not in {chosen!r}.", near(wanted, endings))
    return wanted


def _beside(picture: str, files: Collection[str], endings: tuple[str, ...], source: str) -> str | None:
    for stem in (picture, splitext(picture)[0]):
        fitting = [stem + ending for ending in endings if stem + ending in files]
        if len(fitting) > 1:
            endings_found = " and ".join(splitext(name)[1][1:] for name in fitting)
            raise DataError(
                f"{source}: the picture {picture!r} has captions in several files, {endings_found}.",
                f"Choose one with --caption-column {splitext(fitting[0])[1][1:]}.",
            )
        if fitting:
            return fitting[0]
    return None


def captions_in_lines(text: str) -> tuple[list[str], list[int]]:
    r"""One caption on each line that is not blank, and the lines, from 1; a file of blanks is one empty caption.

    >>> captions_in_lines("a dog\n\na brown dog\n")
    (['a dog', 'a brown dog'], [1, 3])
    """
    numbered = [(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        return [""], [1]
    return [line for line, _ in numbered], [number for _, number in numbered]


def caption_file_names(ids: Iterable[str]) -> dict[str, str]:
    """A caption file, without its ending, for each picture: `a` for `a.jpg`, or `a.jpg` where `a.png` is there too.

    >>> caption_file_names(["a.jpg", "a.png", "b.jpg"])
    {'a.jpg': 'a.jpg', 'a.png': 'a.png', 'b.jpg': 'b'}
    """
    stems: dict[str, int] = {}
    ids = list(ids)
    for name in ids:
        stem = splitext(name)[0]
        stems[stem] = stems.get(stem, 0) + 1
    return {name: splitext(name)[0] if stems[splitext(name)[0]] == 1 else name for name in ids}
