"""The command line: one file per verb, thin; heavy imports happen inside the commands."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from palate import __version__
from palate.cli.annotate import annotate
from palate.cli.break_ties import break_ties
from palate.cli.compare import compare
from palate.cli.convert import convert
from palate.cli.demo import demo
from palate.cli.discover import discover
from palate.cli.distil import distil
from palate.cli.evaluate import evaluate
from palate.cli.explain import explain
from palate.cli.failures import TERMINATED, guarded, leave
from palate.cli.hack import hack
from palate.cli.inspect import inspect
from palate.cli.judge import judge
from palate.cli.plan import plan
from palate.cli.score import score
from palate.cli.store import COMMANDS as STORE_COMMANDS
from palate.cli.store import HELP as STORE_HELP
from palate.cli.validate import validate
from palate.cli.why import why

COMMANDS: dict[str, Callable[..., None]] = {
    "explain": explain,
    "discover": discover,
    "annotate": annotate,
    "judge": judge,
    "score": score,
    "evaluate": evaluate,
    "compare": compare,
    "hack": hack,
    "break-ties": break_ties,
    "plan": plan,
    "validate": validate,
    "why": why,
    "distil": distil,
    "demo": demo,
    "inspect": inspect,
    "convert": convert,
}

# commands of two words: the help of the first one, and the second ones
GROUPS: dict[str, tuple[str, dict[str, Callable[..., None]]]] = {
    "store": (STORE_HELP, STORE_COMMANDS),
}


def app(*, debug: bool = False) -> typer.Typer:
    """Return the application with every command of `COMMANDS` and `GROUPS`.

    Parameters
    ----------
    debug
        Whether failures show their traceback.
    """
    application = typer.Typer(
        name="palate",
        help="Explains preferences: what people, LLM judges and reward models reward.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(_options)
    for name, command in COMMANDS.items():
        application.command(name)(guarded(command, debug=debug))
    for group, (words, commands) in GROUPS.items():
        part = typer.Typer(help=words, no_args_is_help=True)
        for name, command in commands.items():
            part.command(name)(guarded(command, debug=debug))
        application.add_typer(part, name=group)
    return application


@cache
def _command(*, debug: bool) -> Any:
    """The application as a command, built once: reading all options takes 50 ms."""
    return get_command(app(debug=debug))


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"palate {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere.")
    ] = False,
) -> None:
    pass  # both options act before this runs: --version eagerly, --debug in `main`


def _interrupt(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second one spares the cleaning up
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    argv
        The arguments without the program's name; None for those of the process.

    Raises
    ------
    SystemExit
        Always.
    """
    if argv is None:  # a process of its own: being ended by the system cleans up as well
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupt)
        for stream in (sys.stdout, sys.stderr):  # what a narrow encoding lacks is shown as "?"
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    debug = "--debug" in arguments[:end]
    arguments = [a for a in arguments[:end] if a != "--debug"] + arguments[end:]
    try:
        _command(debug=debug)(args=arguments, prog_name="palate")
    except (KeyboardInterrupt, BrokenPipeError) as error:  # outside of any command
        leave(error, debug=debug)
