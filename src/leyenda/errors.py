"""Everything a user can cause, each with one message that names the cause and the fix.

Only the standard library is imported here. `leyenda.cli` turns these errors into one line on standard error and an
exit code; Python callers catch `LeyendaError` or one of its kinds.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class LeyendaError(Exception):
    """A problem that the user can mend.

    Args:
        cause: what happened, in plain words, naming the file, line, option or value.
        fix: what to do or type next; may be empty when the cause already says it.

    >>> str(LeyendaError("'a.csv' has no column 'text'.", "Name it with --caption-column."))
    "'a.csv' has no column 'text'. Name it with --caption-column."
    """

    code = "error"
    """Machine-readable name of the kind of problem, as JSON output carries it."""

    exit_code = 2

    def __init__(self, cause: str, fix: str = "") -> None:
        super().__init__(f"{cause}{fix}" if fix.startswith("\n") else f"{cause} {fix}".strip())
        self.cause = cause
        self.fix = fix

    def __reduce__(self) -> tuple[Any, ...]:
        """Kinds whose arguments are other ones than those of `Exception` travel between processes too."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[LeyendaError], arguments: tuple[Any, ...], state: dict[str, Any]) -> LeyendaError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class DataError(LeyendaError):
    """A data source cannot be read or does not say what is needed."""

    code = "data"


class ImageError(LeyendaError):
    """One picture cannot be used.

    Args:
        code: machine-readable reason, one of `ImageError.codes`.
        cause: what is wrong with the picture.
        fix: what to do about it.
    """

    codes = (
        "missing",  # no such file, or no image given in the row
        "empty",  # zero bytes
        "not_an_image",  # bytes that no decoder recognises
        "truncated",  # an image whose data ends too early
        "unreadable",  # recognised, but the decoder fails, or the file may not be read
        "too_large",  # more pixels, or more bytes, than the limit allows
        "name_too_long",  # the file that would hold its caption cannot have such a name
        "name_taken",  # the file that would hold its caption is another picture's, or a picture itself
        "url",  # an address that may not or cannot be fetched
        "no_metadata",  # a format into which no description can be written
        "metadata",  # the file's metadata is damaged, or what is to be written does not fit into it
        "signed",  # content credentials, which any change of the file makes invalid
    )

    def __init__(self, code: str, cause: str, fix: str = "") -> None:
        if code not in self.codes:
            raise ValueError(f"{code!r} is not one of {self.codes}")
        super().__init__(cause, fix)
        self.code = code


class CaptionError(LeyendaError):
    """A picture's caption is not one that the user would want written.

    Args:
        code: machine-readable reason, one of `CaptionError.codes`.
        cause: what is wrong with the caption.
        fix: what to do about it.
    """

    codes = (
        "empty_caption",  # nothing is left of it
        "has_banned",  # a banned word stands in it
        "lacks_required",  # a required word does not
        "no_prompt",  # a column that the prompt needs has no value for this picture
        "long_prompt",  # the prompt leaves the model no place for a caption
    )

    def __init__(self, code: str, cause: str, fix: str = "") -> None:
        if code not in self.codes:
            raise ValueError(f"{code!r} is not one of {self.codes}")
        super().__init__(cause, fix)
        self.code = code


class RecipeError(LeyendaError):
    """A training recipe or one of its overrides is wrong."""

    code = "recipe"


class ModelError(LeyendaError):
    """A checkpoint cannot be found, loaded or used for captioning."""

    code = "model"


class RunError(LeyendaError):
    """A training run's folder is not in the state that the command needs."""

    code = "run"


class ScoreError(LeyendaError):
    """Captions and references do not fit together."""

    code = "score"


class JudgeError(LeyendaError):
    """What a score needs beside the captions (a model, Java, pictures) is not given, not there, or has failed."""

    code = "judge"


class HubError(LeyendaError):
    """The model hub cannot be reached or refuses."""

    code = "hub"


class DiskError(LeyendaError):
    """A file cannot be written: the disk is full or the folder may not be written to."""

    code = "disk"


def disk_error(error: OSError, target: Path) -> DiskError:
    """The error to raise when a file cannot be written."""
    if error.errno == errno.ENOSPC:
        return DiskError(
            f"The disk is full: {target} cannot be written.", "Make room and run the command again."
        )
    return DiskError(f"{target} cannot be written: {error.strerror}.")


class MissingExtra(LeyendaError):
    """An optional part of leyenda is not installed.

    >>> str(MissingExtra("Scoring captions", "scores"))
    'Scoring captions needs an optional part of leyenda. Install it with: pip install "leyenda[scores]"'
    """

    code = "missing_extra"

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs an optional part of leyenda.",
            f'Install it with: pip install "leyenda[{extra}]"',
        )
        self.extra = extra


def near(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A "did you mean" sentence for an unknown name, or the empty string when nothing is near.

    Args:
        name: what the user wrote.
        known: what could have been meant.
        prefix: stands before each name in the sentence, and is not compared.

    >>> near("learning_rat", ["learning_rate", "seed"])
    "Did you mean 'learning_rate'?"
    >>> near("zzz", ["learning_rate", "seed"])
    ''
    """
    matches = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.6)
    if not matches:
        return ""
    return "Did you mean " + " or ".join(repr(prefix + match) for match in matches) + "?"
