"""Write `docs/cli.md` from the commands themselves, so that the reference cannot drift from the code.

Type `make docs`, or `python docs/generate_cli_reference.py`; a test compares the file with the commands.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from leyenda.cli import leyenda

REFERENCE = Path(__file__).with_name("cli.md")

INTRODUCTION = """\
<!-- Written by docs/generate_cli_reference.py from the commands; change those, then type: make docs -->

# Commands

Results go to standard output; progress and messages to standard error. Every command ends with one of these codes:

| Code | Meaning |
|---|---|
| 0 | done |
| 2 | something to mend: one line says what it is and what to do |
| 3 | finished, but some inputs could not be used; they are listed |
| 130 | stopped with Ctrl-C; what was done is kept |
"""


def reference() -> str:
    """The whole page."""
    context = _context(leyenda, "leyenda")
    return INTRODUCTION + "".join(f"\n{part}" for part in _command(leyenda, context)).rstrip() + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """The parts of a command's section, then those of the commands in it."""
    yield f"{'#' * (2 + _depth(context))} {context.command_path}\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```\n{context.command_path} {usage}\n```\n"
    for paragraph in _paragraphs(command.help or ""):
        yield f"{paragraph}\n"
    if rows := list(_options(command, context)):
        yield "\n".join(["| Option | Meaning |", "|---|---|", *rows]) + "\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(inner, _context(inner, name, context))


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return click.Context(command, parent, name, **command.context_settings)


def _depth(context: click.Context) -> int:
    return 0 if context.parent is None else 1 + _depth(context.parent)


def _paragraphs(text: str) -> Iterator[str]:
    """A command's help as Markdown; what it marks as laid out by hand becomes a block of code."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if lines[0] == "\b":
            yield "```sh\n" + "\n".join(line.strip() for line in lines[1:]) + "\n```"
        elif paragraph.strip():
            yield paragraph.strip()


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Rows of the table; `--help`, which every command has, is in the first table only."""
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option) or (context.parent and "--help" in parameter.opts):
            continue
        if record := parameter.get_help_record(context):
            name, meaning = record
            yield f"| `{_cell(name)}` | {_cell(meaning)} |"


def _cell(text: str) -> str:
    """Text for a cell of a table, in which a bar would end it."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    print(f"Wrote {REFERENCE}.")
