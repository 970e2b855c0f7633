"""Replacements: which function gets which body, from files in C and in assembly.

A file in C (.c) replaces a function by one of the same name, or called livepatch_NAME as in
Linux's samples. A file in assembly (any other name) is one body: such files belong to those of the
functions that no file in C has, in the order given. All files in C are linked together.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from emu.errors import BadAssembly, BadSource, PokeError, closest
from emu.image.elf import ElfImage
from emu.image.object_file import ObjectFile
from emu.image.placed import Placed
from emu.image.prototype import Prototype, prototypes
from emu.patch.compile import MAX_SOURCE, code_model, compile_c
from emu.patch.redirect import Arena, Redirect

PREFIX: Final = "livepatch_"
"""What may stand before the name of a function (Linux samples/livepatch/livepatch-sample.c)."""

_SHOWN = 12
_C = re.compile(r"^\s*#\s*include\b|^[{}]", re.MULTILINE)


def load(
    arena: Arena,
    functions: Sequence[str],
    files: Sequence[Path],
    *,
    include: Sequence[Path] = (),
    warn: Callable[[str], None] | None = None,
) -> tuple[Redirect, ...]:
    """Place replacements of functions; returns redirects in the order of the functions.

    Args:
        arena: where they go, in the kernel.
        functions: of the kernel.
        files: where their replacements are.
        include: folders of headers, for files in C.
        warn: told what the compiler warns of, and we, line by line.

    Raises:
        BadSymbol, NoSite: a function that cannot be patched.
        BadSource, BadAssembly: a file that is no replacement. Unsupported: there is no compiler.
        PokeError: no room, or one function twice.
    """
    _check_functions(arena.guest.image, functions)
    sources = [path for path in files if path.suffix == ".c"]
    texts = [(path.name, _read(path)) for path in files if path.suffix != ".c"]
    warn = warn or _ignore
    objects = _compile(arena.guest.image, sources, include, warn)
    found = {function: _find(function, objects) for function in functions}
    rest = [function for function in functions if found[function] is None]
    _check_count(rest, len(texts), objects)
    placed = arena.place(objects)
    types = arena.guest.image.prototypes(found) if objects else {}
    redirects: dict[str, Redirect] = {}
    for function, where in found.items():
        if where is None:
            continue
        number, name = where
        told = [*_calls_itself(function, objects[number], name)]
        if theirs := types.get(function):
            told += _check_prototype(function, theirs, placed[number], name)
        for line in told:
            warn(f"{placed[number].name}: warning: {line}")
        redirects[function] = arena.redirect_to(function, placed[number], name)
    for function, (name, text) in zip(rest, texts, strict=True):
        redirects[function] = _assembled(arena, function, text, name)
    return tuple(redirects[each] for each in functions)


def _assembled(arena: Arena, function: str, text: str, name: str) -> Redirect:
    """Place a replacement in assembly; of what may be C by another name, say so."""
    try:
        return arena.redirect(function, text, name)
    except BadAssembly as error:
        if not _C.search(text):
            raise
        raise BadAssembly(f"{error}; if it is C, let its name end in .c") from None


def _ignore(_line: str) -> None:
    """Say nothing."""


def _compile(
    image: ElfImage,
    sources: Sequence[Path],
    include: Sequence[Path],
    warn: Callable[[str], None],
) -> tuple[ObjectFile, ...]:
    """Return the objects of files in C."""
    model = code_model(image.symbols["_stext"].address)
    objects = []
    for path in sources:
        compiled = compile_c(path, include, model)
        for line in compiled.warnings:
            warn(line)
        objects.append(ObjectFile(path.name, compiled.object))
    return tuple(objects)


def _check_functions(image: ElfImage, functions: Sequence[str]) -> None:
    """Refuse functions that cannot be patched, or not together, before anything is compiled."""
    sites: dict[int, str] = {}
    for function in functions:
        site = image.sites.of(function)
        if site in sites:
            other = sites[site]
            what = "is named twice" if other == function else f"is {other} by another name"
            raise PokeError(f"{function} {what}")
        sites[site] = function


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SOURCE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise BadAssembly(f"{path}: {reason or 'cannot be read'}") from None
    if len(data) > MAX_SOURCE:
        raise BadAssembly(f"{path}: over {MAX_SOURCE:,} bytes, too large for a replacement")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadAssembly(f"{path}: not a text file in UTF-8") from None


def _find(function: str, objects: Sequence[ObjectFile]) -> tuple[int, str] | None:
    """Return the number of the object that has a replacement, and what it is called there."""
    names = function, PREFIX + function
    found = [
        (number, symbol.name)
        for number, each in enumerate(objects)
        for symbol in each.functions()
        if symbol.name in names
    ]
    if len(found) > 1:
        told = " and ".join(f"{name} in {objects[number].name}" for number, name in found)
        raise BadSource(f"{function} has {len(found)} replacements: {told}")
    return found[0] if found else None


def _check_count(rest: Sequence[str], texts: int, objects: Sequence[ObjectFile]) -> None:
    """Refuse functions without a file, and files without a function."""
    if len(rest) == texts:
        return
    files = " and ".join(each.name for each in objects)
    if not texts:
        has = [symbol.name for each in objects for symbol in each.functions()]
        near = closest(rest[0], has)
        others = f", but {_list(has)}" if has else ", nor any other"
        hint = f": did you mean {' or '.join(near)}?" if near else others
        raise BadSource(f"{files} has no function {rest[0]!r}{hint}")
    told = f"{_list(rest)} " if rest else ""
    where = f"not in {files}" if objects else "to replace"
    count = f"{texts} file{'s' if texts != 1 else ''} of assembly"
    raise BadAssembly(
        f"{len(rest)} function{'s' if len(rest) != 1 else ''} {told}{where}, and {count}: "
        "each takes one"
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _check_prototype(function: str, theirs: Prototype, placed: Placed, name: str) -> Iterator[str]:
    """Refuse a replacement that takes or returns something else; yields warnings."""
    ours = prototypes(placed.name, placed.sections, [name]).get(name)
    if ours is None or str(ours) == str(theirs):
        return
    told = f"{name} is {ours}, but the kernel's {function} is {theirs}"
    if not ours.passes_as(theirs):
        raise BadSource(f"{placed.name}: {told}")
    yield told


def _calls_itself(function: str, each: ObjectFile, name: str) -> Iterator[str]:
    """Warn of a replacement that calls the function it replaces, which leads back to it."""
    own = next(symbol for symbol in each.functions() if symbol.name == name)
    for section in each.sections:
        for relocation in section.relocations if section.number == own.section else ():
            called = each.symbols[relocation.symbol]
            within = own.value <= relocation.offset < own.value + own.size
            if within and called.name in (function, name):
                yield f"{name} calls {function}, which leads back here: copy its body instead"
                return
