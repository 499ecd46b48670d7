"""What the documents say is there: files, headings, commands, options; and both READMEs say the same."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from leyenda.cli import leyenda

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("README*.md"))]
READMES = ROOT / "README.md", ROOT / "README.es.md"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|md|toml|txt|ipynb|html|css|sh))`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def test_the_cli_reference_is_what_the_commands_say() -> None:
    path = ROOT / "docs" / "generate_cli_reference.py"
    spec = importlib.util.spec_from_file_location("generate_cli_reference", path)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == generator.reference(), "docs/cli.md is out of date. Type: make docs"


@pages
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for target in LINK.findall(without_code(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (heading and heading not in anchors(file)):
            dead.append(target)
    assert not dead


@pages
def test_files_of_the_project_that_are_named_are_there(page: Path) -> None:
    """A path is the project's when it begins with one of its folders."""
    homes = ROOT, ROOT / "src" / "leyenda"
    absent = []
    for name in NAMED_FILE.findall(page.read_text(encoding="utf-8")):
        top = name.partition("/")[0]
        ours = [
            home for home in homes if (home / top).is_dir() and top != "runs"
        ]  # those are made by commands
        if ours and not any((home / name).exists() for home in ours):
            absent.append(name)
    assert not absent


@pages
def test_commands_can_be_typed(page: Path) -> None:
    """Every `leyenda …` in a block of shell commands has a verb and options that exist."""
    for line in commands_in(page):
        try:
            words = shlex.split(line, comments=True)[1:]
            parse(list(itertools.takewhile(lambda word: word not in (">", "|", "&&"), words)))
        except click.UsageError as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_the_readmes_say_the_same() -> None:
    there = [readme for readme in READMES if readme.exists()]
    assert len({tuple(skeleton(readme)) for readme in there}) <= 1, [skeleton(readme) for readme in there]
    targets = [
        [target for target in LINK.findall(without_code(readme)) if "README" not in target]
        for readme in there
    ]
    assert all(each == targets[0] for each in targets)


def test_a_command_that_does_not_exist_is_found() -> None:
    with pytest.raises(click.UsageError):
        parse(["caption", "photo.png", "--colour", "blue"])
    with pytest.raises(click.UsageError):
        parse(["paint", "photo.png"])


def skeleton(page: Path) -> Iterator[str]:
    """What must be alike in two languages: headings by level, blocks of code by language and length, tables."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^(#+) |^(```)(\w*)\n(.*?)^```$|^(\|)", text, re.MULTILINE | re.DOTALL):
        level, fence, language, code, row = found.groups()
        yield level or (f"{fence}{language} {code.count(chr(10))} lines" if fence else row)


def without_code(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them: lower case, hyphens for spaces, no marks."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_in(page: Path) -> Iterator[str]:
    for language, code in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in ("", "sh", "bash", "console"):
            lines = [line.strip() for line in code.replace("\\\n", " ").splitlines()]
            yield from (line for line in lines if line.startswith("leyenda ") and "[OPTIONS]" not in line)


def parse(words: list[str]) -> None:
    """Parse a command line as `leyenda` would, without running it."""
    command: click.Command = leyenda
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            raise click.UsageError(f"There is no verb {words[0]!r}.")
        command, words = inner, words[1:]
    if not isinstance(command, click.Group):
        command.make_context("leyenda", words)


def test_every_dependency_has_its_reason() -> None:
    """`docs/dependencies.md` lists what `pyproject.toml` asks for, each once, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = {re.match(r"[\w.-]+", line)[0] for line in asked} - {"leyenda"}
    rows = re.findall(
        r"^\| `([\w.-]+)` \|", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"), re.M
    )
    assert sorted(rows) == sorted(names)
