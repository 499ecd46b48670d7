"""The command `leyenda`: one file per verb, and what all verbs share: errors, exit codes, Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from leyenda import __version__
from leyenda.cli.one_voice import is_main, one_voice
from leyenda.errors import LeyendaError, near

VERBS = ("quickstart", "train", "evaluate", "caption", "score", "compare", "data", "push")
"""In the order of a user's first day; each is `leyenda.cli.VERB:command`."""

EXIT_USER_ERROR = 2
EXIT_SOME_FAILED = 3
EXIT_INTERRUPTED = 130


class Verbs(click.Group):
    """The group of all verbs; a verb's file is imported when the verb is used or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs, in order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, or None."""
        if cmd_name not in VERBS:
            return None
        command = import_module(f"leyenda.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown verb names near ones."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            hint = near(args[0], VERBS) or "The verbs are: " + ", ".join(VERBS) + "."
            raise click.UsageError(f"There is no verb {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="leyenda")
@click.option(
    "--debug", is_flag=True, help="Show the traceback of an error. Stands before or after the verb."
)
def leyenda(debug: bool) -> None:
    """Captions for pictures: fine-tune a model on your own, score it honestly, caption with it.

    Start with `leyenda quickstart`: it draws a small data set, trains on it and writes a report, in a few minutes.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    Args:
        arguments: the words after `leyenda`; None takes the process's own.

    Returns:
        0: done; 2: a problem the user can mend; 3: finished, some inputs failed; 130: stopped by Ctrl-C.
    """
    _let_others_work()
    words = list(sys.argv[1:] if arguments is None else arguments)
    words, debug = _without_debug_flag(words)
    try:
        with one_voice():
            code = leyenda.main(args=words, prog_name="leyenda", standalone_mode=False, obj=list(words))
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as help_page:
        click.echo(help_page.format_message(), err=True)
        return EXIT_USER_ERROR
    except click.ClickException as error:
        return _report(_one_line(error), debug)
    except LeyendaError as error:
        _report(str(error), debug)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        if is_main():
            click.echo("leyenda: stopped.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): stop, and let the interpreter close stdout in silence.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def _let_others_work() -> None:
    """Threads that wait for one another sleep soon, and do not spin for milliseconds as they do by default.

    Where other programs use the cores too, a spinning thread keeps the one it waits for from running. Read by GNU's
    OpenMP when torch is imported; who has said how threads are to wait is not overruled.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _without_debug_flag(words: list[str]) -> tuple[list[str], bool]:
    """Take `--debug` out wherever it stands, so that it can follow the verb as well."""
    end = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != "--debug"]
    return kept + words[end:], len(kept) < end


def _one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    if not isinstance(error, click.UsageError):
        return message
    command = error.ctx.command_path if error.ctx else "leyenda"
    return f"{message.rstrip('.')}. See: {command} --help" if "?" not in message else message


def _report(message: str, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    click.echo(f"leyenda: error: {message}", err=True)
    return EXIT_USER_ERROR


def entry() -> None:
    """The installed command: run and leave with the exit code."""
    sys.exit(main())
