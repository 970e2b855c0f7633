"""Compiling a replacement in C: gcc, or the compiler that CC names, to an object.

The flags are the kernel's own where they decide what code may do: no red zone, since interrupts
use the same stack; only general registers; addresses as the kernel lies. The compiler runs in a
folder made for it, for a bounded time; nothing of what it makes is ever executed here.
"""

import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emu import resources
from emu.errors import BadSource, Unsupported, printable

FLAGS: Final = (
    "-std=gnu11", "-O2", "-g", "-gdwarf-4",
    "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function",
    "-ffreestanding", "-fno-pic", "-mno-red-zone", "-mgeneral-regs-only",
    "-mpreferred-stack-boundary=3",
    "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
    "-fno-strict-aliasing", "-fno-tree-loop-distribute-patterns", "-fno-common",
    "-fno-optimize-sibling-calls",  # a call is a call: seen on the stack, and where it leads back
    "-fkeep-static-functions",  # a replacement may be static, as in Linux's samples
)  # fmt: skip
"""As kernels/toy/Makefile has them. A stack is aligned to 8, as the callers leave it."""

TIMEOUT: Final = 60.0
"""Seconds a compiler may take."""

MAX_SOURCE: Final = 1 << 20
MAX_OBJECT: Final = 16 << 20
"""Bytes of a source and of an object."""

MAX_SAID: Final = 100
"""Lines of what the compiler says that are kept."""

_NO_HEADER: Final = "; it includes no header of the kernel, as <toy/defs.h> is the toy's"

_TOP = (1 << 64) - (1 << 31)
_ERROR = re.compile(r"^(?:.*?:(\d+):(?:\d+:)? |[^\s:]+: )?(?:fatal )?error: (.*)$")
_INCLUDES = re.compile(rb"^[ \t]*#[ \t]*include\b", re.MULTILINE)
_HOST_HEADERS = ("CPATH", "C_INCLUDE_PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH", "LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An object, and the warnings that the compiler had, line by line."""

    object: bytes
    warnings: tuple[str, ...]


def code_model(address: int) -> str:
    """Return the -mcmodel for code near an address: "kernel" where 32 signed bits reach it."""
    return "kernel" if address < 1 << 31 or address >= _TOP else "large"


def compile_c(source: Path, include: Sequence[Path] = (), model: str = "kernel") -> Compiled:
    """Compile a file in C.

    Args:
        source: the file.
        include: folders to look for headers in, before those that come with textpoke.
        model: the -mcmodel.

    Raises:
        BadSource: it cannot be read, or does not compile.
        Unsupported: there is no compiler.
    """
    _check(source)
    for each in include:
        if not each.is_dir():
            raise BadSource(f"--include {each}: no such folder")
    whole = source.absolute()
    with tempfile.TemporaryDirectory(prefix="textpoke-") as folder:
        made = Path(folder, "made.o")
        words = [
            *_compiler(), *FLAGS, f"-mcmodel={model}",
            *(f"-I{each.absolute()}" for each in (*include, resources.include())),
            f"-ffile-prefix-map={folder}=.", f"-ffile-prefix-map={whole.parent}/=",
            "-fdiagnostics-color=never", "-fmessage-length=0", "-fmax-errors=20",
            "-c", "-o", str(made), "-x", "c", str(whole),
        ]  # fmt: skip
        status, text = _run(words, Path(folder), source.name)
        said = _lines(text.replace(f"{whole.parent}/", ""))
        if status:
            told = _failure(source.name, said, words[0], status)
            more = "" if _INCLUDES.search(source.read_bytes()) else _NO_HEADER
            raise BadSource(f"{told}{more}", said)
        try:
            size = made.stat().st_size
            if size > MAX_OBJECT:
                raise BadSource(f"{source.name}: its object has over {MAX_OBJECT >> 20} MiB")
            return Compiled(made.read_bytes(), said)
        except OSError:
            raise BadSource(f"{source.name}: {words[0]} made no object") from None


def _check(source: Path) -> None:
    try:
        size = source.stat().st_size if source.is_file() else -1
        with source.open("rb"):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise BadSource(f"{source}: {reason or 'cannot be read'}") from None
    if size < 0:
        raise BadSource(f"{source}: not a file")
    if size > MAX_SOURCE:
        raise BadSource(f"{source}: {size:,} bytes; a replacement has at most {MAX_SOURCE:,}")


def _compiler() -> list[str]:
    """Return the words that CC has, or gcc."""
    try:
        return shlex.split(os.environ.get("CC", "")) or ["gcc"]
    except ValueError:
        raise Unsupported("CC cannot be read: it has an open quote") from None


def _environment(folder: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _HOST_HEADERS}
    return kept | {"LC_ALL": "C", "TMPDIR": str(folder)}


def _run(words: Sequence[str], folder: Path, name: str) -> tuple[int, str]:
    """Run the compiler; returns its status and what it said."""
    said = folder / "said"
    with said.open("wb") as output:
        try:
            process = subprocess.Popen(  # noqa: S603 -- the compiler the user has
                words,
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise _no_compiler(words[0], error) from None
        try:
            status = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise BadSource(f"{name}: {words[0]} took over {TIMEOUT:.0f} seconds") from None
        finally:
            if process.poll() is None:  # with all that it started, also if we are interrupted
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    with said.open("rb") as found:
        return status, found.read(1 << 16).decode("utf-8", "backslashreplace")


def _no_compiler(word: str, error: OSError) -> Unsupported:
    if os.environ.get("CC"):
        return Unsupported(f"CC is {word!r}, which cannot be run: {error.strerror or error}")
    return Unsupported(
        "a replacement in C needs gcc, which is not here: install it (apt-get install gcc), "
        "or let CC name another compiler"
    )


def _lines(text: str) -> tuple[str, ...]:
    lines = [printable(line.expandtabs().rstrip()) for line in text.splitlines() if line.strip()]
    more = len(lines) - MAX_SAID
    return (*lines[:MAX_SAID], f"and {more} more lines") if more > 0 else tuple(lines)


def _failure(name: str, said: Sequence[str], compiler: str, status: int) -> str:
    """Return what is wrong in one line: the first error."""
    errors = [found for line in said if (found := _ERROR.match(line))]
    if not errors:
        last = said[-1] if said else f"{compiler} ended with status {status}"
        return f"{name} does not compile: {last}"
    more = f" ({len(errors)} errors in all)" if len(errors) > 1 else ""
    where, what = f"line {errors[0][1]}: " if errors[0][1] else "", errors[0][2]
    return f"{name} does not compile: {where}{what}{more}"
