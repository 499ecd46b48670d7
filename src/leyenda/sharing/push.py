"""Send files to a repository of the hub, in one commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leyenda.errors import HubError, LeyendaError
from leyenda.sharing.contents import Contents, is_model_file
from leyenda.sharing.hub_refusals import hub_refusals

Tell = Callable[[str], None]


def repository_problems(repo_id: str, token: str | None) -> list[LeyendaError]:
    """What is wrong with a push before the hub is asked: a malformed name, or no token."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    problems: list[LeyendaError] = []
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        fix = "Write it like your-name/your-model: letters, digits, '-', '_', '.', at most 96 of them."
        problems.append(HubError(f"{repo_id!r} is not a name that the hub takes.", fix))
    if not (token or get_token()):
        fix = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write."
        problems.append(HubError("There is no hub token on this machine.", fix))
    return problems


def upload(
    contents: Contents,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
    endpoint: str | None = None,
    message: str = "Upload a captioning model with leyenda",
    tell: Tell,
) -> str:
    """Make the repository where there is none, and send the files in one commit.

    Files of an earlier checkpoint that the new one does not have are deleted in the same commit: left there,
    they would be loaded together with the new ones.

    Args:
        contents: what to send.
        repo_id: `name/model`, or `model` under the token's own name.
        private: make a new repository private; one that is there already must be.
        token: None uses HF_TOKEN or the one that `hf auth login` stored.
        revision: a branch, made where there is none; None for `main`.
        endpoint: address of the hub; None for the usual one.
        message: of the commit.
        tell: is given what is being done, line by line.

    Returns:
        The address of the repository (of the branch, when one was named).

    Raises:
        HubError: the hub cannot be reached or refuses; nothing is then committed.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    with hub_refusals(repo_id, revision):
        hub = HfApi(endpoint=endpoint, token=token)
        repository = hub.create_repo(repo_id, private=private or None, exist_ok=True)
        name = repository.repo_id
        if private:
            _insist_on_private(hub, name)
        if revision:
            hub.create_branch(name, branch=revision, exist_ok=True)
        there = hub.list_repo_files(name, revision=revision)
        outdated = [file for file in there if is_model_file(file) and file not in contents.files]
        if outdated:
            tell(f"Deleting what an earlier model left there: {', '.join(outdated)}")
        operations: list[Any] = [
            CommitOperationAdd(path_in_repo=file, path_or_fileobj=place)
            for file, place in contents.files.items()
        ]
        operations += [CommitOperationDelete(path_in_repo=file) for file in outdated]
        hub.create_commit(name, operations, commit_message=message, revision=revision)
    return f"{hub.endpoint}/{name}" + (f"/tree/{revision}" if revision else "")


def _insist_on_private(hub: Any, name: str) -> None:
    if not hub.model_info(name).private:
        raise HubError(
            f"{name!r} is on the hub already, and everyone can see it.",
            "Make it private in its settings there, choose another name, or push without --private.",
        )
