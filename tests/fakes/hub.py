"""A stand-in for the model hub: one local server that speaks the Hub's HTTP, as the real client uses it.

It keeps repositories in memory, with commits and branches, and answers what `huggingface_hub`, `transformers`
and `datasets` ask for: repositories made and described, files listed, uploaded (small ones inside the commit,
large ones by Git LFS) and downloaded (large ones by a redirect to a second address, as a content network
does, which must not be shown the token, or by Xet). Tests can make any request fail or lose its connection.

    with FakeHub() as hub:
        variables = os.environ | hub.environment(home, hub.add_user("ana"))
        subprocess.run(["leyenda", "push", "runs/birds", "ana/birds"], env=variables)
        assert "model.safetensors" in hub.files("ana/birds")
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LARGE = (".safetensors", ".bin", ".parquet", ".arrow", ".png", ".jpg", ".tar", ".model")
"""Endings that a new repository's `.gitattributes` hands to Git LFS."""

GIT_ATTRIBUTES = "".join(f"*{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LARGE).encode()


@dataclass(frozen=True)
class StoredFile:
    """A file of a commit; a large one is kept by LFS and known by its SHA-256."""

    content: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def blob_id(self) -> str:
        """What git calls the file: for a large one, the id of its pointer."""
        body = self.pointer if self.large else self.content
        return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()

    @property
    def pointer(self) -> bytes:
        lines = (
            "version https://git-lfs.github.com/spec/v1",
            f"oid sha256:{self.sha256}",
            f"size {len(self.content)}",
        )
        return "".join(line + "\n" for line in lines).encode()

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.blob_id


@dataclass(frozen=True)
class Commit:
    """One state of a repository."""

    id: str
    message: str
    files: Mapping[str, StoredFile]


@dataclass
class Repository:
    """A model or data set repository: its commits, oldest first, and where its branches stand."""

    kind: str  # "models" or "datasets", as addresses spell it
    name: str
    private: bool = False
    gated: bool = False
    commits: list[Commit] = field(default_factory=list)
    branches: dict[str, Commit] = field(default_factory=dict)

    def commit(self, branch: str, message: str, files: Mapping[str, StoredFile]) -> Commit:
        identity = hashlib.sha1(
            f"{self.name} {len(self.commits)} {message} {sorted(files)}".encode()
        ).hexdigest()
        commit = Commit(identity, message, dict(files))
        self.commits.append(commit)
        self.branches[branch] = commit
        return commit

    def at(self, revision: str) -> Commit | None:
        by_id = {commit.id: commit for commit in self.commits}
        return self.branches.get(revision) or by_id.get(revision)


@dataclass(frozen=True)
class Request:
    """What the server was asked, for tests to look at."""

    method: str
    path: str
    token: str | None
    body: bytes = field(repr=False)


@dataclass
class Failure:
    """How requests of a kind shall fail: with a status, or (None) by a connection lost half-way."""

    method: str
    pattern: str
    status: int | None
    times: int

    def concerns(self, request: Request) -> bool:
        return self.method == request.method and bool(re.search(self.pattern, request.path))


class RefusedRequestError(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Answer:
    """What goes back over the wire."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, **headers: str) -> Answer:
        return cls(200, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


class FakeHub:
    """The server, started by `with`; everything it holds can be looked at and set."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.requests: list[Request] = []
        self.users: dict[str, tuple[str, bool]] = {}  # token -> (name, may write)
        self.objects: dict[str, bytes] = {}  # what LFS has received, by SHA-256
        self.failures: list[Failure] = []
        self.xet_folder: Path | None = None  # where Xet keeps its chunks; None: clients use LFS
        self.xet_hashes: dict[str, str] = {}  # SHA-256 -> Xet's name of the same bytes
        self._lock = threading.RLock()
        self._servers: list[ThreadingHTTPServer] = []

    def __enter__(self) -> FakeHub:
        for _ in ("hub", "content network"):
            server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self._servers.append(server)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def content_url(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """The variables under which a process takes this server for the Hub; add them to its environment."""
        variables = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home / "huggingface"),
            "HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "0" if self.xet_folder else "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "OMP_NUM_THREADS": "1",
        }
        return variables | ({"HF_TOKEN": token} if token else {})

    def add_user(self, name: str, *, write: bool = True) -> str:
        """A new user, or a read-only token of one; returns the token."""
        token = f"hf_{name}_{'write' if write else 'read'}"
        self.users[token] = (name, write)
        return token

    def add_repository(
        self,
        name: str,
        files: Mapping[str, bytes],
        *,
        kind: str = "models",
        private: bool = False,
        gated: bool = False,
    ) -> Repository:
        """A repository that is there already, with one commit on `main`."""
        repository = Repository(kind, name, private, gated)
        stored = {path: StoredFile(body, path.endswith(LARGE)) for path, body in files.items()}
        repository.commit("main", "initial commit", stored)
        self.repositories[kind, name] = repository
        return repository

    def repository(self, name: str, kind: str = "models") -> Repository:
        return self.repositories[kind, name]

    def files(self, name: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        """Path -> content at a revision."""
        commit = self.repository(name, kind).at(revision)
        assert commit is not None, revision
        return {path: file.content for path, file in commit.files.items()}

    def fail(self, method: str, pattern: str, status: int | None, times: int = 1000) -> None:
        """Let requests whose path matches the pattern fail: with a status, or (None) by a lost connection."""
        self.failures.append(Failure(method, pattern, status, times))

    def use_xet(self, folder: Path, *files: Path) -> None:
        """Let clients keep large files with Xet, the Hub's newer storage, in a folder instead of on its servers.

        The Hub learns from Xet what it has received; this one is told beforehand which files will come.
        """
        import hf_xet

        self.xet_folder = folder
        for file, hashed in zip(files, hf_xet.hash_files([str(file) for file in files]), strict=True):
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            self.xet_hashes[sha256] = hashed.hash
            self.objects[sha256] = file.read_bytes()

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request; None when the connection shall be lost."""
        with self._lock:
            self.requests.append(request)
            for failure in self.failures:
                if (
                    failure.times
                    and failure.method == request.method
                    and re.search(failure.pattern, request.path)
                ):
                    failure.times -= 1
                    return None if failure.status is None else Answer(failure.status, b"out of order")
            try:
                return _route(self, request)
            except RefusedRequestError as refused:
                reason = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
                answer = Answer.of({"error": refused.message}, **{k: v for k, v in reason.items() if v})
                answer.status = refused.status
                return answer

    def user(self, request: Request) -> tuple[str, bool] | None:
        """Who asks, and whether they may write; None for nobody in particular."""
        if request.token is None:
            return None
        if request.token not in self.users:
            raise RefusedRequestError(401, message="Invalid credentials in Authorization header")
        return self.users[request.token]

    def readable(self, request: Request, kind: str, name: str) -> Repository:
        """The repository, if the one who asks may see it."""
        user = self.user(request)
        repository = self.repositories.get((kind, name))
        owner = name.split("/")[0]
        if repository is None or (repository.private and (user is None or user[0] != owner)):
            # The Hub does not tell a stranger whether a repository is private or not there.
            raise RefusedRequestError(404 if user else 401, "RepoNotFound", "Repository not found")
        if repository.gated and "/resolve/" in request.path and (user is None or user[0] != owner):
            raise RefusedRequestError(
                403 if user else 401, "GatedRepo", f"Access to {kind[:-1]} {name} is restricted."
            )
        return repository

    def writable(self, request: Request, kind: str, name: str) -> Repository:
        """The repository, if the one who asks may write to it."""
        self.may_write(request, name.split("/")[0])
        return self.readable(request, kind, name)

    def may_write(self, request: Request, owner: str) -> str:
        user = self.user(request)
        if user is None:
            raise RefusedRequestError(401, message="Invalid username or password.")
        if not user[1] or user[0] != owner:
            raise RefusedRequestError(
                403, message=f"You don't have the rights to write under the namespace {owner!r}"
            )
        return user[0]


def _commit_at(repository: Repository, revision: str) -> Commit:
    commit = repository.at(unquote(revision))
    if commit is None:
        raise RefusedRequestError(404, "RevisionNotFound", f"Invalid rev id: {unquote(revision)}")
    return commit


# What each address does. The groups of a pattern are the arguments.

_Action = Callable[..., Answer]
_ROUTES: list[tuple[str, re.Pattern[str], _Action]] = []
_REPOSITORY = r"/api/(models|datasets)/([^/]+/[^/]+|[^/]+)"


def _on(method: str, pattern: str) -> Callable[[_Action], _Action]:
    def register(action: _Action) -> _Action:
        _ROUTES.append((method, re.compile(pattern), action))
        return action

    return register


def _route(hub: FakeHub, request: Request) -> Answer:
    path = urlsplit(request.path).path
    for method, pattern, action in _ROUTES:
        match = pattern.fullmatch(path)
        if match and method == request.method:
            return action(hub, request, *match.groups())
    raise RefusedRequestError(404, message=f"no such page: {request.method} {path}")


@_on("GET", "/api/whoami-v2")
def _who_am_i(hub: FakeHub, request: Request) -> Answer:
    user = hub.user(request)
    if user is None:
        raise RefusedRequestError(401, message="Invalid username or password.")
    return Answer.of({"type": "user", "name": user[0], "orgs": []})


@_on("POST", "/api/validate-yaml")
def _validate_card(hub: FakeHub, request: Request) -> Answer:
    parts = json.loads(request.body)["content"].split("---\n", 2)
    try:
        data = yaml.safe_load(parts[1]) if len(parts) == 3 else None
    except yaml.YAMLError as error:
        answer = Answer.of({"errors": [{"message": str(error)}], "warnings": []})
        answer.status = 400
        return answer
    warnings = [] if data else [{"message": "empty or missing yaml metadata in repo card"}]
    return Answer.of({"errors": [], "warnings": warnings})


@_on("POST", "/api/repos/create")
def _create_repository(hub: FakeHub, request: Request) -> Answer:
    asked = json.loads(request.body)
    user = hub.user(request)
    owner = hub.may_write(request, asked.get("organization") or (user[0] if user else ""))
    kind = (asked.get("type") or "model") + "s"
    name = f"{owner}/{asked['name']}"
    prefix = "" if kind == "models" else f"{kind}/"
    described = {"url": f"{hub.url}/{prefix}{name}", "name": name}
    if (kind, name) in hub.repositories:
        answer = Answer.of(described | {"error": "You already created this repo"})
        answer.status = 409
        return answer
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    hub.add_repository(name, {".gitattributes": GIT_ATTRIBUTES}, kind=kind, private=private)
    return Answer.of(described)


@_on("GET", _REPOSITORY + r"(?:/revision/([^/]+))?")
def _describe(hub: FakeHub, request: Request, kind: str, name: str, revision: str | None) -> Answer:
    repository = hub.readable(request, kind, name)
    commit = _commit_at(repository, revision or "main")
    with_sizes = "blobs" in parse_qs(urlsplit(request.path).query)
    siblings = [
        {"rfilename": path}
        | ({"size": len(file.content), "blobId": file.blob_id} if with_sizes else {})
        | ({"lfs": _lfs_entry(file)} if with_sizes and file.large else {})
        for path, file in commit.files.items()
    ]
    about = {"id": name, "sha": commit.id, "private": repository.private, "gated": repository.gated}
    return Answer.of(about | {"tags": [], "siblings": siblings, "downloads": 0, "likes": 0})


@_on("GET", _REPOSITORY + r"/refs")
def _branches(hub: FakeHub, request: Request, kind: str, name: str) -> Answer:
    repository = hub.readable(request, kind, name)
    branches = [
        {"name": branch, "ref": f"refs/heads/{branch}", "targetCommit": commit.id}
        for branch, commit in repository.branches.items()
    ]
    return Answer.of({"branches": branches, "converts": [], "tags": []})


@_on("POST", _REPOSITORY + r"/branch/([^/]+)")
def _create_branch(hub: FakeHub, request: Request, kind: str, name: str, branch: str) -> Answer:
    repository = hub.writable(request, kind, name)
    if unquote(branch) in repository.branches:
        raise RefusedRequestError(409, message=f"Reference already exists: {unquote(branch)}")
    start = json.loads(request.body or b"{}").get("startingPoint", "main")
    repository.branches[unquote(branch)] = _commit_at(repository, start)
    return Answer.of({})


def _lfs_entry(file: StoredFile) -> dict[str, Any]:
    size, pointer = len(file.content), len(file.pointer)
    return {"oid": file.sha256, "sha256": file.sha256, "size": size, "pointerSize": pointer}


def _tree_entry(path: str, file: StoredFile) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "oid": file.blob_id, "size": len(file.content)}
    return entry | ({"lfs": _lfs_entry(file)} if file.large else {})


def _folders(files: Mapping[str, StoredFile]) -> Iterator[str]:
    yield from dict.fromkeys(
        str(folder) for path in files for folder in reversed(Path(path).parents) if str(folder) != "."
    )


@_on("GET", _REPOSITORY + r"/tree/([^/]+)(?:/(.+))?")
def _tree(hub: FakeHub, request: Request, kind: str, name: str, revision: str, folder: str | None) -> Answer:
    files = _commit_at(hub.readable(request, kind, name), revision).files
    recursive = parse_qs(urlsplit(request.path).query).get("recursive", ["false"])[0].lower() == "true"
    root = Path(unquote(folder or ""))
    if folder and str(root) not in _folders(files):
        raise RefusedRequestError(404, "EntryNotFound", f"{root} does not exist on {revision!r}")
    entries = [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in _folders(files)]
    entries += [_tree_entry(path, file) for path, file in files.items()]
    inside = [
        entry
        for entry in entries
        if (root in Path(entry["path"]).parents if recursive else Path(entry["path"]).parent == root)
    ]
    return Answer.of(inside)


@_on("POST", _REPOSITORY + r"/paths-info/([^/]+)")
def _paths(hub: FakeHub, request: Request, kind: str, name: str, revision: str) -> Answer:
    files = _commit_at(hub.readable(request, kind, name), revision).files
    folders = set(_folders(files))
    found: list[dict[str, Any]] = []
    for path in parse_qs(request.body.decode()).get("paths", []):
        if path in files:
            found.append(_tree_entry(path, files[path]))
        elif path in folders:
            found.append({"type": "directory", "path": path, "oid": "0" * 40, "size": 0})
    return Answer.of(found)


@_on("POST", _REPOSITORY + r"/preupload/([^/]+)")
def _upload_modes(hub: FakeHub, request: Request, kind: str, name: str, revision: str) -> Answer:
    files = _commit_at(hub.writable(request, kind, name), revision).files
    modes = []
    for asked in json.loads(request.body)["files"]:
        path = asked["path"]
        mode = "lfs" if path.endswith(LARGE) else "regular"
        oid = {"oid": files[path].etag} if path in files else {}
        modes.append({"path": path, "uploadMode": mode, "shouldIgnore": False} | oid)
    return Answer.of({"files": modes})


@_on("POST", r"/(?:(datasets)/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch")
def _lfs_batch(hub: FakeHub, request: Request, kind: str | None, name: str) -> Answer:
    hub.writable(request, kind or "models", name)
    objects = []
    for asked in json.loads(request.body)["objects"]:
        known = {"oid": asked["oid"], "size": asked["size"]}
        if asked["oid"] not in hub.objects:
            upload = {"href": f"{hub.content_url}/objects/{asked['oid']}"}
            known["actions"] = {"upload": upload, "verify": {"href": f"{hub.url}/objects/verify"}}
        objects.append(known)
    return Answer.of({"transfer": "basic", "objects": objects})


@_on("PUT", r"/objects/([0-9a-f]{64})")
def _receive_object(hub: FakeHub, request: Request, oid: str) -> Answer:
    if request.token:
        raise RefusedRequestError(400, message="the token was shown to the content network")
    if hashlib.sha256(request.body).hexdigest() != oid:
        raise RefusedRequestError(400, message="the bytes do not have the SHA-256 they were announced with")
    hub.objects[oid] = request.body
    return Answer()


@_on("POST", "/objects/verify")
def _verify_object(hub: FakeHub, request: Request) -> Answer:
    asked = json.loads(request.body)
    if len(hub.objects.get(asked["oid"], b"")) != asked["size"]:
        raise RefusedRequestError(404, message="object not found")
    return Answer.of({})


@_on("GET", _REPOSITORY + r"/xet-(read|write)-token/([^/]+)")
def _xet_token(hub: FakeHub, request: Request, kind: str, name: str, right: str, _: str) -> Answer:
    (hub.writable if right == "write" else hub.readable)(request, kind, name)
    about = {"casUrl": f"local://{hub.xet_folder}", "accessToken": "xet", "exp": 4102444800}
    headers = {
        "X-Xet-Cas-Url": about["casUrl"],
        "X-Xet-Access-Token": "xet",
        "X-Xet-Token-Expiration": str(about["exp"]),
    }
    return Answer.of(about, **headers)


@_on("POST", _REPOSITORY + r"/commit/([^/]+)")
def _commit(hub: FakeHub, request: Request, kind: str, name: str, revision: str) -> Answer:
    repository = hub.writable(request, kind, name)
    files = dict(_commit_at(repository, revision).files)
    message = ""
    for line in request.body.splitlines():
        item = json.loads(line)
        value = item["value"]
        if item["key"] == "header":
            message = value["summary"]
        elif item["key"] == "file":
            files[value["path"]] = StoredFile(base64.b64decode(value["content"]), large=False)
        elif item["key"] == "lfsFile":
            if value["oid"] not in hub.objects:
                raise RefusedRequestError(
                    400, message=f"LFS pointer pointed to a file that does not exist: {value['path']}"
                )
            files[value["path"]] = StoredFile(hub.objects[value["oid"]], large=True)
        elif item["key"] == "deletedFile":
            if files.pop(value["path"], None) is None:
                raise RefusedRequestError(
                    404, "EntryNotFound", f"A file with this name doesn't exist: {value['path']}"
                )
        else:
            raise RefusedRequestError(
                400, message=f"this stand-in does not know the operation {item['key']!r}"
            )
    commit = repository.commit(unquote(revision), message, files)
    address = f"{hub.url}/{name}/commit/{commit.id}"
    return Answer.of({"success": True, "commitOid": commit.id, "commitUrl": address, "pullRequestUrl": None})


@_on("HEAD", r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
@_on("GET", r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
def _download(
    hub: FakeHub, request: Request, kind: str | None, name: str, revision: str, path: str
) -> Answer:
    commit = _commit_at(hub.readable(request, kind or "models", name), revision)
    file = commit.files.get(unquote(path))
    about = {"X-Repo-Commit": commit.id}
    if file is None:
        # Clients remember that a file is not there, so this answer names the commit as well.
        message = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return Answer(404, b"Entry not found", about | message)
    about |= {"ETag": f'"{file.etag}"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    if not file.large:
        return Answer(200, file.content, about)
    hub.objects[file.sha256] = file.content
    if file.sha256 in hub.xet_hashes:
        about["X-Xet-Hash"] = hub.xet_hashes[file.sha256]
        about["X-Xet-Refresh-Route"] = f"{hub.url}/api/{kind or 'models'}/{name}/xet-read-token/{commit.id}"
    about |= {"X-Linked-Size": str(len(file.content)), "X-Linked-Etag": f'"{file.sha256}"'}
    return Answer(302, b"", about | {"Location": f"{hub.content_url}/objects/{file.sha256}"})


@_on("HEAD", r"/objects/([0-9a-f]{64})")
@_on("GET", r"/objects/([0-9a-f]{64})")
def _send_object(hub: FakeHub, request: Request, oid: str) -> Answer:
    if request.token:
        raise RefusedRequestError(400, message="the token was shown to the content network")
    return Answer(200, hub.objects[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads a request, asks the hub, writes the answer."""

    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        request = Request(self.command, self.path, token, self._body())
        answer = self.hub.answer(request)
        if answer is None:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of th")
            return
        self._write(self._part_of(answer))

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing: tests read `hub.requests`."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _part_of(self, answer: Answer) -> Answer:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not wanted or answer.status != 200:
            return answer
        start, end = int(wanted[1]), min(int(wanted[2] or len(answer.body) - 1), len(answer.body) - 1)
        span = {"Content-Range": f"bytes {start}-{end}/{len(answer.body)}"}
        if start >= len(answer.body):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(answer.body)}"})
        return Answer(206, answer.body[start : end + 1], answer.headers | span)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
