"""Share a trained model on the hub: the model, its card, its recipe and its scores."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leyenda.errors import HubError, LeyendaError
from leyenda.sharing.contents import Contents, contents_of
from leyenda.sharing.finished_run import problems_of, read_run
from leyenda.sharing.model_card import render_card
from leyenda.sharing.push import repository_problems, upload


@dataclass(frozen=True)
class Parcel:
    """What a push would send, and how it is described.

    Args:
        contents: the files.
        card: text of the model card.
    """

    contents: Contents
    card: str

    def summary(self, repo_id: str) -> str:
        """One line a file with its size, the total, and what stays."""
        sizes = self.contents.sizes()
        lines = [f"To {repo_id}, {readable_size(sum(sizes.values()))} in {len(sizes)} files:"]
        lines += [f"  {readable_size(size):>9}  {name}" for name, size in sizes.items()]
        if self.contents.left_out:
            lines.append("Not sent: " + ", ".join(self.contents.left_out))
        return "\n".join(lines)


def prepare(
    run: Path | str, repo_id: str, *, license_id: str | None = None, language: str | None = None
) -> Parcel:
    """Gather what `push` would send, without asking the hub.

    Args:
        run: a training run's folder, or a bare model's.
        repo_id: the repository's name.
        license_id: the hub's name of a licence; None says that it is unknown.
        language: ISO 639-1 code of the captions; None looks at the test captions.

    Raises:
        RunError, RecipeError: the folder is not complete.
    """
    folder = read_run(Path(run).expanduser())
    card = render_card(folder, repo_id=repo_id, license_id=license_id, language=language)
    return Parcel(contents_of(folder, card), card)


def push(
    run: Path | str,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
    endpoint: str | None = None,
    message: str = "Upload a captioning model with leyenda",
    license_id: str | None = None,
    language: str | None = None,
    tell: Callable[[str], None] | None = None,
) -> str:
    """Put a trained model on the hub, in one commit: model, processor, card, recipe and scores.

    Checkpoints, the optimizer's state and pictures are never sent, nor are paths of this machine and secrets
    in the recipe. Everything that can be checked is checked before the hub is asked for anything.

    Args:
        run: a training run's folder, or a bare model's.
        repo_id: `name/model`, or `model` under the token's own name; made where there is none.
        private: only for the owner's eyes.
        token: None uses HF_TOKEN or the one that `hf auth login` stored.
        revision: a branch, made where there is none; None for `main`.
        endpoint: address of the hub; None for the usual one.
        message: of the commit.
        license_id: the hub's name of a licence (`apache-2.0`); None says that it is unknown.
        language: ISO 639-1 code of the captions; None looks at the test captions.
        tell: is given what is being done; None prints it to standard error.

    Returns:
        The address of the repository (of the branch, when one was named).

    Raises:
        LeyendaError: the folder is not complete, the name is malformed or there is no token; all at once.
        HubError: the hub cannot be reached or refuses; nothing is then committed.
    """
    tell = tell or _to_standard_error
    _raise_all([*problems_of(Path(run).expanduser()), *repository_problems(repo_id, token)])
    parcel = prepare(run, repo_id, license_id=license_id, language=language)
    tell(parcel.summary(repo_id))
    return upload(
        parcel.contents,
        repo_id,
        private=private,
        token=token,
        revision=revision,
        endpoint=endpoint,
        message=message,
        tell=tell,
    )


def readable_size(size: int) -> str:
    """A number of bytes for people.

    >>> readable_size(950), readable_size(12_300_000)
    ('950 B', '12.3 MB')
    """
    for unit, bytes_each in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= bytes_each:
            return f"{size / bytes_each:.1f} {unit}"
    return f"{size} B"


def _raise_all(problems: list[LeyendaError]) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        listed = " ".join(f"({number}) {problem}" for number, problem in enumerate(problems, start=1))
        raise HubError(f"{len(problems)} things keep the model from being pushed: {listed}")


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr)
