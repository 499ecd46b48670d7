"""A Java program that answers line by line, with METEOR without its paraphrases, which starts in a moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from leyenda.errors import JudgeError
from leyenda.judges.coco_jars import coco_folder
from leyenda.judges.java_process import SETTINGS, JavaProcess, find_java, java_version

QUESTION = "SCORE ||| a dog runs ||| a dog runs"
QUICK = ["-jar", "meteor-1.5.jar", "-", "-", "-stdio", "-l", "en", "-m", "exact"]


@pytest.fixture
def program(java):
    running = JavaProcess("METEOR", [java, *SETTINGS, *QUICK], coco_folder("METEOR", "meteor", ()))
    yield running
    running.close()


def test_every_line_gets_its_answer_in_order_from_one_process(program):
    lengths = [1 + count % 7 for count in range(2_000)]
    questions = [f"SCORE ||| {'a ' * length}dog ||| a dog" for length in lengths]
    first = program.pid
    answers = program.ask(questions)
    assert [answer.split()[1] for answer in answers] == [f"{length + 1}.0" for length in lengths]
    assert program.ask([QUESTION]) == program.ask([QUESTION])
    assert program.ask([]) == []
    assert program.pid == first
    assert program.is_running


def test_a_program_that_dies_is_named_with_its_exit_code(program):
    program.ask([QUESTION])
    os.kill(program.pid, signal.SIGKILL)
    with pytest.raises(
        JudgeError, match=r"The Java program of METEOR ended before it was done \(exit code -9\)"
    ):
        program.ask([QUESTION] * 10_000)
    assert not program.is_running


def test_what_the_program_complained_of_is_said(java, tmp_path):
    absent = JavaProcess("METEOR", [java, "-jar", "absent.jar"], tmp_path)
    with pytest.raises(JudgeError, match=r"exit code 1\): .*absent\.jar"):
        absent.ask([QUESTION])


def test_too_little_memory_is_said(java):
    meteor = ["-Xmx8m", *QUICK[:-2], "-norm"]
    small = JavaProcess("METEOR", [java, *meteor], coco_folder("METEOR", "meteor", ()))
    with pytest.raises(JudgeError, match="too little memory"):
        small.ask([QUESTION])


def test_an_interrupted_program_is_not_asked_again(program, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(JavaProcess, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.ask([QUESTION])
    assert not program.is_running


def test_a_program_that_cannot_be_started_is_named(tmp_path):
    (tmp_path / "java").write_text("no program")
    with pytest.raises(JudgeError, match="Java cannot be started for METEOR"):
        JavaProcess("METEOR", [str(tmp_path / "java")], tmp_path)


def test_the_program_ends_when_this_process_is_killed(java):
    code = f"""
import time
from leyenda.judges.coco_jars import coco_folder
from leyenda.judges.java_process import JavaProcess
program = JavaProcess("METEOR", [{java!r}, *{QUICK!r}], coco_folder("METEOR", "meteor", ()))
program.ask([{QUESTION!r}])
print(program.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


def is_alive(process: int) -> bool:
    """Whether a process runs: a dead one that nobody has waited for yet does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_without_java_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JudgeError) as error:
        find_java("METEOR")
    assert str(error.value).startswith("METEOR needs Java, and this machine has no `java`. Install it")
    assert "apt install default-jre-headless" in str(error.value)


def test_java_home_goes_before_the_path(monkeypatch, tmp_path):
    for place in ("home/bin", "path"):
        program = tmp_path / place / "java"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java("METEOR") == str(tmp_path / "home/bin/java")
    monkeypatch.delenv("JAVA_HOME")
    assert find_java("METEOR") == str(tmp_path / "path/java")


@pytest.mark.parametrize(
    ("said", "version"), [('java version "1.8.0_402"', 8), ('openjdk version "17.0.15" 2025-04-15', 17)]
)
def test_versions_old_and_new_are_read(said, version, tmp_path):
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    program.chmod(0o755)
    assert java_version(str(program)) == version


def test_a_java_that_only_says_where_to_get_one_is_an_error(tmp_path):
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho 'Unable to locate a Java Runtime.' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(JudgeError, match=r"which version it is: Unable to locate a Java Runtime\. Install"):
        java_version(str(program))
