"""Pictures from the web, from a real server on this machine that behaves well and badly."""

import io
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from leyenda.errors import ImageError
from leyenda.images import fetch, open_picture


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (5, 4), (1, 2, 3)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = png()


class Answers(BaseHTTPRequestHandler):
    """One path for each way to answer."""

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        name = self.path.strip("/").partition("?")[0].partition("/")[0]
        getattr(self, "answer_" + name, self.answer_absent)()

    def send(self, body: bytes, status: int = 200, length: int | None = None, **headers: str):
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def answer_absent(self):
        self.send(b"no", 404)

    def answer_ok(self):
        self.send(PICTURE, Content_Type="text/plain")  # the header is not what counts

    def answer_page(self):
        self.send(b"<!DOCTYPE html><html>" + b"x" * 5000, Content_Type="image/png")

    def answer_nothing(self):
        self.send(b"")

    def answer_error(self):
        self.send(PICTURE, 503)

    def answer_hop(self):
        left = int(self.path.rpartition("/")[2])
        self.send(b"", 302, Location=f"/hop/{left - 1}" if left else "/ok")

    def answer_loop(self):
        self.send(b"", 301, Location="/loop")

    def answer_tofile(self):
        self.send(b"", 302, Location="file:///etc/passwd")

    def answer_toftp(self):
        self.send(b"", 307, Location="ftp://127.0.0.1/a.png")

    def answer_announced(self):
        self.send(b"", length=10**9)

    def answer_endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(PICTURE)
            while not self.server.stopping.is_set():
                self.wfile.write(b"x" * 65536)
        except OSError:
            return  # the client went away, as it should

    def answer_cut(self):
        self.send(PICTURE, length=len(PICTURE) + 100)

    def drip(self, first: bytes):
        try:
            self.wfile.write(first)
            while not self.server.stopping.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            return

    def answer_dripbody(self):
        self.drip(b"HTTP/1.1 200 OK\r\n\r\n" + PICTURE)

    def answer_dripheader(self):
        self.drip(b"HTTP/1.1 200 OK\r\nX-Long: ")

    def answer_silent(self):
        self.server.stopping.wait()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    server.asked, server.stopping = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.stopping.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(server, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server.asked.clear()
    return f"http://127.0.0.1:{server.server_port}"


def refusal(url: str, **limits) -> str:
    with pytest.raises(ImageError) as caught:
        fetch(url, **limits)
    assert caught.value.code == "url"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_picture(address):
    assert fetch(f"{address}/ok") == PICTURE
    assert open_picture(fetch(f"{address}/ok")).getpixel((0, 0)) == (1, 2, 3)


def test_up_to_five_redirects(address, server):
    assert fetch(f"{address}/hop/4") == PICTURE
    assert [path for path, _ in server.asked] == ["/hop/4", "/hop/3", "/hop/2", "/hop/1", "/hop/0", "/ok"]
    assert "redirects more than 5 times" in refusal(f"{address}/hop/5")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("absent.png", "404 Not Found"),
        ("error", "503 Service Unavailable"),
        ("loop", "redirects more than 5 times"),
        ("tofile", "redirects to a file: address"),
        ("toftp", "redirects to a ftp: address"),
        ("page", "is a web page"),
        ("nothing", "no bytes"),
        ("cut", "cannot be fetched: the answer breaks off"),
    ],
)
def test_answers_that_are_no_picture(address, path, words):
    message = refusal(f"{address}/{path}")
    assert words in message
    assert f"{address}/{path}" in message


@pytest.mark.parametrize("path", ["announced", "endless"])
def test_the_size_limit(address, path):
    assert "larger than 100,000 bytes" in refusal(f"{address}/{path}", max_bytes=100_000)


def test_exactly_the_size_limit(address):
    assert fetch(f"{address}/ok", max_bytes=len(PICTURE)) == PICTURE
    refusal(f"{address}/ok", max_bytes=len(PICTURE) - 1)


@pytest.mark.parametrize("path", ["dripbody", "dripheader", "silent"])
def test_the_time_limit_is_for_everything_together(address, path):
    # Without a limit on the whole these never end; the test would hang, not pass.
    assert "took longer than 0.4 seconds" in refusal(f"{address}/{path}", timeout=0.4)


def test_a_closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "cannot be fetched: nobody answers there." in refusal(f"http://127.0.0.1:{port}/a.png")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://no-such-server.invalid/a.png", "no server of that name is found"),
        ("http://127.0.0.1:99999999999999999999/a.png", "the address is malformed"),
        ("http://127.0.0.1:99999/a.png", "the address is malformed"),
        ("{server}/ok", "no secure connection can be made"),
    ],
)
def test_why_in_words(url, words, address):
    message = refusal(url.format(server=address.replace("http:", "https:")))
    assert f"cannot be fetched: {words}. Check the address." in message


def test_a_proxy_of_a_kind_that_is_not_there(address, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert "the proxy that is set" in refusal(f"{address}/ok")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "photo.jpg",
        "//127.0.0.1/a.png",
        "http://",
        "http:///a.png",
        "http://[::1/a.png",
        "http://127.0.0.1:99999/a.png",
        "http://exa\nmple.org/",
        "",
    ],
)
def test_addresses_that_are_not_of_the_web(url):
    refusal(url)


def test_no_password_in_a_message(address, server):
    secret = address.replace("http://", "http://ana:s3cret@")
    message = refusal(f"{secret}/absent.png?size=2&token=s3cret&X-Amz-Signature=s3cret")
    assert "s3cret" not in message
    assert "ana" not in message
    assert "/absent.png?size=2&token=***" in message
    assert server.asked[0][1]["Authorization"].startswith("Basic ")  # it was sent all the same


def test_a_password_does_not_leak_in_a_transport_error():
    assert "s3cret" not in refusal("http://ana:s3cret@127.0.0.1:99999/a.png")
    assert "s3cret" not in refusal("ftp://ana:s3cret@127.0.0.1/a.png")


def test_no_thread_is_left_behind(address):
    fetch(f"{address}/ok", timeout=60)
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        timer.join(5)
    assert not any(timer.is_alive() for timer in timers)
