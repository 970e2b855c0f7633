"""The command `textpoke VERB`: finds the verb, runs it, and says in one line what went wrong.

Exit statuses: 2 bad input, 4 the guest died, 70 a bug in textpoke, 74 the output cannot be
written, 130 interrupted, 141 nobody reads the output; each verb has its own besides.

Other packages add verbs by the entry-point group `textpoke.verbs`: the name is the verb, the
value a function with typer's annotations in a module that imports little before it runs. They
are looked for only when a verb is asked for that is not built in, and for the list of verbs.
"""

import atexit
import contextlib
import errno
import gc
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated, Any

import typer

from emu.cli import (
    console,
    demo,
    disasm,
    doctor,
    linux,
    patch,
    replay,
    run,
    running,
    stack,
    symbols,
    tasks,
    types,
)
from emu.errors import TextpokeError, Unsupported

INTERNAL, UNREAD = 70, 141

_YOUNG = 100_000  # objects between two looks for garbage, in place of Python's 700

_VERBS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "run": run.run,
    "linux": linux.linux,
    "patch": patch.patch,
    "replay": replay.replay,
    "tasks": tasks.tasks,
    "stack": stack.stack,
    "symbols": symbols.symbols,
    "types": types.types,
    "disasm": disasm.disasm,
    "doctor": doctor.doctor,
}

_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)  # writing the output, somewhere

_ClickException: Any = typer.BadParameter.__mro__[2]  # of click, or of the copy typer brings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, or those of the process; returns its exit status."""
    if arguments is None:
        _prepare_process()
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    console.prepare()
    debug = False
    try:
        command: Any = typer.main.get_command(_application(words))
        with command.make_context("textpoke", list(words)) as context:
            debug = bool(context.params.get("debug"))
            command.invoke(context)
    except typer.Exit as end:
        return _flushed(int(end.exit_code))
    except KeyboardInterrupt:
        _say("interrupted")
        return running.INTERRUPTED
    except BrokenPipeError:
        console.give_up_output()
        return UNREAD
    except Exception as error:  # noqa: BLE001 -- the user gets one line, whatever it was
        message, status = _explain(error, words)
        if debug and not isinstance(error, _ClickException):
            traceback.print_exc()
        _say(message)
        if status == console.OutputError.status:
            console.give_up_output()
        return status
    return _flushed(0)


def _prepare_process() -> None:
    """Spare a process that is ours alone what costs it a second, and gains nothing."""
    # 140,000 objects are loaded to stay: at 700 the collector went through them 350 times, and
    # then when the process ends, which frees everything anyway.
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
    # numpy starts a thread for each processor, which spin a while; we multiply no matrices
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _explain(error: Exception, words: Sequence[str]) -> tuple[str, int]:
    """Return the one line about an error, and the exit status."""
    if isinstance(error, TextpokeError):
        return str(error), error.status
    if isinstance(error, _ClickException):
        context = getattr(error, "ctx", None)
        asked = context.command_path if context else "textpoke"
        return f"{_one_line(error.format_message())} (see {asked} --help)", 2
    what = _one_line(f"{type(error).__name__}: {error}")
    if isinstance(error, OSError) and error.errno in _LOST:
        output = console.OutputError(f"the output cannot be written: {error.strerror}")
        return str(output), output.status
    if isinstance(error, ImportError):
        return f"{what}: textpoke doctor tells what is missing", 2
    again = shlex.join(["textpoke", "--debug", *words])
    return (
        f"a bug in textpoke: {what}: please report what this prints: {_one_line(again)}",
        INTERNAL,
    )


def _flushed(status: int) -> int:
    """Return the status a verb ended with, once all it printed is out."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        console.give_up_output()
        return UNREAD
    except OSError as error:
        message, status = _explain(error, ())
        console.give_up_output()
        _say(message)
    return status


def _say(message: str) -> None:
    with contextlib.suppress(OSError, TextpokeError):  # nobody may be there to be told
        console.note(message)


def _one_line(text: str) -> str:
    return str(TextpokeError(" ".join(text.split())))


def _application(words: Sequence[str]) -> typer.Typer:
    """Return the command with its verbs: those of others only where these words need them."""
    application = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    application.callback()(_options)
    for name, verb in _VERBS.items():
        application.command(name)(verb)
    asked = next((word for word in words if not word.startswith("-")), None)
    if asked not in _VERBS:
        for entry in metadata.entry_points(group="textpoke.verbs"):
            if entry.name not in _VERBS:
                application.command(entry.name)(_load(entry))
    return application


def _load(entry: metadata.EntryPoint) -> Callable[..., None]:
    """Return the verb of another package, or one that says why it cannot be had."""
    try:
        verb: Callable[..., None] = entry.load()
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with it, the others work
        reason = _one_line(f"{type(error).__name__}: {error}")
    else:
        return verb

    def broken() -> None:
        raise Unsupported(f"{entry.name} cannot be loaded: {reason}")

    broken.__doc__ = f"(cannot be loaded: {reason})"
    return broken


def _print_version(wanted: bool) -> None:
    if wanted:
        console.line(f"textpoke {version()}")
        raise typer.Exit


def version() -> str:
    """Return the version of the installed package, or what a bare checkout can say."""
    try:
        return metadata.version("textpoke")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in textpoke an error comes from.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Watch a kernel being patched while it runs."""
    # main asks the context for --debug; --version has its callback


if __name__ == "__main__":
    sys.exit(main())
