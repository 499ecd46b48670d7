"""A web address becomes the bytes of a picture, within limits of time and size."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from leyenda.errors import ImageError
from leyenda.images.formats import picture_format, what_it_is_instead

if TYPE_CHECKING:
    import httpx

DEFAULT_MAX_BYTES = 64 * 2**20
DEFAULT_TIMEOUT = 30.0
MAX_REDIRECTS = 5

_FAILURES = (ImageError, OSError, ValueError, ImportError)
"""What a fetch can raise beside the library's own; a proxy that is set may need a package."""

_REDIRECTS = (301, 302, 303, 307, 308)
_SECRET = re.compile(r"([?&][^=&]*(?:token|key|sig|secret|pass|auth|credential)[^=&]*=)[^&]*", re.IGNORECASE)


def fetch(url: str, *, max_bytes: int = DEFAULT_MAX_BYTES, timeout: float = DEFAULT_TIMEOUT) -> bytes:
    """Download a picture.

    Args:
        url: an `http:` or `https:` address; at most 5 redirects are followed, and only to such addresses.
        max_bytes: longest answer to accept, in bytes.
        timeout: seconds for everything together, however slowly the bytes drip.

    Returns:
        The encoded picture: bytes that start as a supported picture format does, whatever the headers say.

    Raises:
        ImageError: `url`, with one line that names the address without passwords.
    """
    import httpx

    headers = {"User-Agent": "leyenda", "Accept-Encoding": "identity"}
    with _Deadline(timeout) as deadline:
        try:
            with httpx.Client(timeout=timeout, headers=headers) as client:
                data = _follow(client, url, max_bytes, deadline)
            if not deadline.passed():
                return data
            raise TimeoutError
        except (*_FAILURES, httpx.HTTPError, httpx.InvalidURL) as error:
            if deadline.passed():
                raise _refusal(url, f"took longer than {timeout:g} seconds", "Try again later.") from error
            if isinstance(error, ImageError):
                raise
            raise _refusal(url, f"cannot be fetched: {_why(error)}", "Check the address.") from error


def _why(error: BaseException) -> str:
    """What went wrong on the way, in words: the system and the libraries answer with numbers and names."""
    import ssl

    import httpx

    reasons: dict[type[BaseException], str] = {
        socket.gaierror: "no server of that name is found",
        ConnectionRefusedError: "nobody answers there",
        ssl.SSLCertVerificationError: "the server's certificate cannot be trusted",
        ssl.SSLError: "no secure connection can be made",
        httpx.ProxyError: "the proxy that is set refuses",
        ImportError: "the proxy that is set needs a part that is not installed",
        httpx.RemoteProtocolError: "the answer breaks off, or is not that of a web server",
        httpx.InvalidURL: "the address is malformed",
        ValueError: "the address is malformed",
    }
    causes = list(_causes(error))
    found = (words for kind, words in reasons.items() if any(isinstance(cause, kind) for cause in causes))
    return next(found, "the connection fails")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _follow(client: httpx.Client, url: str, max_bytes: int, deadline: _Deadline) -> bytes:
    address = url
    for _ in range(MAX_REDIRECTS + 1):
        _check_address(address, url)
        request = client.build_request("GET", address, extensions={"trace": deadline.watch})
        response = client.send(request, stream=True)
        try:
            if response.status_code not in _REDIRECTS:
                return _read(response, max_bytes, url)
            address = str(response.url.join(response.headers.get("location", "")))
        finally:
            response.close()
    raise _refusal(url, f"redirects more than {MAX_REDIRECTS} times", "Check the address.")


def without_secrets(url: str) -> str:
    """The address for messages: no user name, no password, no value of a query field that sounds secret.

    >>> without_secrets("https://ana:1234@example.org/a.jpg?size=2&token=abc")
    'https://example.org/a.jpg?size=2&token=***'
    """
    try:
        parts = urlsplit(url)
        shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    except ValueError:
        shown = re.sub(r"//[^/]*@", "//", url)
    return _SECRET.sub(r"\1***", shown)


def _check_address(address: str, asked: str) -> None:
    parts = urlsplit(address)
    if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:  # above 65535: a ValueError
        return
    scheme = parts.scheme or "no scheme"
    if address == asked:
        raise _refusal(asked, f"is not a web address ({scheme})", "Only http: and https: are fetched.")
    raise _refusal(
        asked,
        f"redirects to a {scheme}: address",
        "Only http: and https: are followed.",
    )


def _read(response: httpx.Response, max_bytes: int, url: str) -> bytes:
    if response.status_code != 200:
        answer = f"{response.status_code} {response.reason_phrase}".rstrip()
        raise _refusal(url, f"answers {answer}", "Check the address.")
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_big(url, max_bytes)
    data = bytearray()
    recognised = False
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > max_bytes:
            raise _too_big(url, max_bytes)
        if not recognised and len(data) >= 1024:
            _check_picture(data, url)
            recognised = True
    _check_picture(data, url)
    return bytes(data)


def _check_picture(data: bytearray, url: str) -> None:
    if not data:
        raise _refusal(url, "answers with no bytes", "Check the address.")
    if picture_format(bytes(data[:64])) is None:
        what = what_it_is_instead(bytes(data[:1024])) or "no picture in a format that leyenda knows"
        raise _refusal(url, f"is {what}", "Give the address of the picture itself.")


def _too_big(url: str, max_bytes: int) -> ImageError:
    return _refusal(url, f"is larger than {max_bytes:,} bytes", "Download it, and name the file.")


def _refusal(url: str, cause: str, fix: str) -> ImageError:
    return ImageError("url", f"{without_secrets(url)} {cause}.", fix)


class _Deadline:
    """Ends a transfer when its time is up, also one whose bytes keep dripping in.

    The timeout of httpx is for each single read, so a server that sends a byte a second is never late. When
    the time is up, a timer shuts the connections that the transfer opened, and the read that waits on them
    fails.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    def passed(self) -> bool:
        return time.monotonic() >= self._end

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Called by httpx at each step of a transfer (its `trace` extension)."""
        if event == "connection.connect_tcp.complete":
            self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self.passed():
                self._shut()

    def _shut(self) -> None:
        for connection in self._sockets:
            try:
                # Not SSLSocket.shutdown: that one takes the TLS layer from under the read in progress.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue  # closed already
