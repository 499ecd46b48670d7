"""What the hub or the network answers, in one line that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from leyenda.errors import DiskError, HubError, LeyendaError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

TRY_AGAIN = "Run the same command again: what has arrived is not sent twice."


@contextmanager
def hub_refusals(repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Turn every way in which a conversation with the hub ends badly into a `HubError`.

    Args:
        repo_id: the repository that it is about.
        revision: the branch that it is about.

    Raises:
        HubError: with the cause and the fix.
        DiskError: this machine's disk is full.
    """
    from huggingface_hub.errors import HTTPError  # of httpx, or of its successor: whichever the client uses

    try:
        yield
    except LeyendaError:
        raise
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        raise _explained(error, repo_id, revision) from error


def _explained(error: Exception, repo_id: str, revision: str | None) -> LeyendaError:
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    # The client wraps what happens in its upload threads.
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, OfflineModeIsEnabled):
            return HubError("Talking to the hub is switched off.", "Unset HF_HUB_OFFLINE and try again.")
        if isinstance(each, OSError) and each.errno == errno.ENOSPC:
            return DiskError("The disk is full.", "Make room and run the same command again.")
        if isinstance(each, HfHubHTTPError):
            # A ValueError of the client says more than the answer behind it: which file was refused.
            said = error if type(error) is ValueError else each.server_message or each
            return _refusal(each, _one_line(said), repo_id, revision)
    for each in chain:
        if isinstance(each, HTTPError | ConnectionError | TimeoutError):
            reason = f"{type(each).__name__}: {_one_line(each)}".rstrip(": ")
            return HubError(
                f"The connection to the hub failed ({reason}).",
                f"Check the network and HF_ENDPOINT. {TRY_AGAIN}",
            )
    return HubError(f"The hub cannot be used ({type(error).__name__}: {_one_line(error)}).", TRY_AGAIN)


def _refusal(error: HfHubHTTPError, said: str, repo_id: str, revision: str | None) -> HubError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return HubError(
            f"{repo_id!r} asks for permission first.", "Request it on its page, then: hf auth login."
        )
    if isinstance(error, RevisionNotFoundError):
        return HubError(f"{repo_id!r} has no branch {revision!r}.", "Check --revision.")
    if status == 403:
        return HubError(
            f"The token may not write to {repo_id!r}.",
            "Use a token with write permission (hf auth login), or another name.",
        )
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return HubError(
            f"The hub has no repository {repo_id!r}, or the token may not see it.", "Check the name."
        )
    if status == 401:
        return HubError(
            "The hub does not accept the token.", "Log in with `hf auth login`, or set HF_TOKEN anew."
        )
    if status == 429:
        return HubError("The hub was asked too often.", "Wait a few minutes. " + TRY_AGAIN)
    if status >= 500:
        return HubError(f"The hub is out of order (status {status}).", "Wait a little. " + TRY_AGAIN)
    return HubError(f"The hub refuses (status {status}): {said.rstrip('.')}.", "Mend that and try again.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _one_line(message: object) -> str:
    return " ".join(str(message).split())[:300]
