"""A Java program that stays running and answers lines with lines."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from leyenda.errors import JudgeError

SETTINGS = ("-Dfile.encoding=UTF-8", "-Duser.language=en", "-Duser.country=US")
"""The same text and numbers whatever the user's locale is: Turkish lower case and decimal commas are real."""

_LAST_WORDS = 2_000


def find_java(purpose: str) -> str:
    """The `java` program: that of `JAVA_HOME` where it is set, or the first on the path.

    Args:
        purpose: what needs it, for the message.

    Raises:
        JudgeError: there is none.
    """
    home = os.environ.get("JAVA_HOME", "")
    found = (shutil.which("java", path=str(Path(home) / "bin")) if home else None) or shutil.which("java")
    if found is None:
        raise JudgeError(
            f"{purpose} needs Java, and this machine has no `java`.",
            "Install it (on Debian or Ubuntu: sudo apt install default-jre-headless), or set JAVA_HOME.",
        )
    return found


def java_version(java: str) -> int:
    """Major version of a Java program: 8, 17, ...

    Raises:
        JudgeError: it does not say.
    """
    said = subprocess.run([java, "-version"], capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - found above
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if match is None:
        raise JudgeError(
            f"{java!r} does not say which version it is: {last_line(said.stderr)}.",
            "Install Java anew, or set JAVA_HOME to another one.",
        )
    return int(match[1])


class JavaProcess:
    """A running Java program. It ends with this one, however this one ends, since its input then ends.

    Args:
        purpose: what it computes, for messages and progress.
        command: the program and its arguments; it reads lines from its input, and answers each with one line.
        folder: where it runs.

    Raises:
        JudgeError: it cannot be started.
    """

    def __init__(self, purpose: str, command: Sequence[str], folder: Path) -> None:
        self.purpose = purpose
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            self._process = subprocess.Popen(  # noqa: S603 - java with the official jar
                list(command),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            raise JudgeError(f"Java cannot be started for {purpose}: {error}.", "Check JAVA_HOME.") from error

    @property
    def is_running(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, lines: Sequence[str]) -> list[str]:
        """One answer per line, in order.

        Args:
            lines: each without a line break.

        Raises:
            JudgeError: the program ended before it had answered all.
        """
        writer = threading.Thread(target=self._write, args=(lines,), daemon=True)
        writer.start()
        try:
            progress = tqdm(lines, desc=self.purpose, unit="picture", delay=2, file=sys.stderr, leave=False)
            answers = [self._read() for _ in progress]
        except BaseException:
            self.close()  # after an interruption, the next question would get the answers to this one
            raise
        writer.join()
        return answers

    def _write(self, lines: Sequence[str]) -> None:
        assert self._process.stdin is not None
        # When the program dies, so does the pipe; the reader sees it too and says so.
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                self._process.stdin.write((line + "\n").encode("utf-8", "replace"))
            self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        return line.decode("utf-8", "replace").strip()

    def _ended(self) -> JudgeError:
        code = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode("utf-8", "replace")[-_LAST_WORDS:]
        return program_failed(self.purpose, code, words)

    def close(self) -> None:
        """End it; a second call does nothing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            # What was not yet sent cannot be sent any more.
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]


def program_failed(purpose: str, code: int, words: str) -> JudgeError:
    """The error of a Java program that ended too early.

    Args:
        purpose: what it was to compute.
        code: its exit code.
        words: what it wrote to standard error.
    """
    if "OutOfMemoryError" in words or "Could not reserve enough space" in words:
        fix = "It had too little memory: close other programs, or score fewer pictures at a time."
    else:
        fix = "Try again; if it happens again, try another version of Java."
    return JudgeError(
        f"The Java program of {purpose} ended before it was done (exit code {code}): {last_line(words)}.", fix
    )


def last_line(words: str) -> str:
    r"""The line of a Java program's complaint that says most: its exception, or else the last line.

    >>> last_line("Exception in thread main java.lang.OutOfMemoryError: heap\n\tat Meteor.main(Meteor.java:1)\n")
    'Exception in thread main java.lang.OutOfMemoryError: heap'
    >>> last_line("")
    'it said nothing'
    """
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [
        line for line in lines if re.search(r"\w(Error|Exception)\b", line) and not line.startswith("at ")
    ]
    return (telling or lines or ["it said nothing"])[0 if telling else -1].rstrip(".")[:300]
