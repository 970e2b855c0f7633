"""Native code: how the machine's hot functions are compiled, and how they reach the engine.

Everything the machine does per block or per move is a numba function over the flat arrays of
`state.State`. This file holds what they all share: where compiled code is cached, loads and
stores at raw host addresses, and the exported functions of the Unicorn library.

Two traps decided its shape (both reproduced, see docs/decisions.md):

* numba caches by the hash of the *defining* file, so editing a callee in another file would
  leave stale native code behind. The cache folder is therefore named after a digest of every
  source that is compiled, and of the versions that compile it.
* ctypes function objects as globals cannot be cached at all; `types.ExternalFunction` with a
  symbol registered in LLVM can. Calling one that was not registered is a segmentation fault
  and not an exception, so `external` registers first and refuses what the library lacks.
"""

import ctypes
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
import unicorn
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler import Flags
from numba.core.runtime import rtsys
from numba.extending import intrinsic

from emu.errors import Unsupported

_COMPILED = b"emu.machine.native"  # what a source imports that is compiled


def _cache_directory() -> Path:
    """Return a writable folder that belongs to exactly these sources and versions."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        text = source.read_bytes()
        if _COMPILED in text or source.name in ("native.py", "state.py", "view.py"):
            digest.update(source.name.encode() + text)
    for library in (numba, llvmlite, np, unicorn):  # importlib.metadata costs 20 ms of a start
        digest.update(library.__version__.encode())
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    directory = caches / "textpoke" / digest.hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError:
        directory = Path(tempfile.mkdtemp(prefix="textpoke-"))
    return directory


CACHE = _cache_directory()
numba.config.CACHE_DIR = str(CACHE)


def compiled_before() -> bool:
    """Return whether an earlier process left compiled code for these very sources."""
    return any(CACHE.rglob("*.nbi"))


class Compiled:
    """A function of the machine, native when it is called, from Python or by what is compiled.

    Only then numba gets to know it: that takes 0.1 s for all 400, of which a run calls a dozen.
    """

    def __init__(self, function: Callable[..., Any], *, nogil: bool) -> None:
        self._function, self._nogil = function, nogil

    @functools.cached_property
    def _dispatcher(self) -> Any:
        dispatcher = numba.njit(cache=True, error_model="numpy", nogil=self._nogil)(self._function)
        # numba would compile a function once more for every constant it is called with
        specialise = dispatcher.compile
        dispatcher.compile = lambda arguments: specialise(tuple(map(types.unliteral, arguments)))
        dispatcher._cache.load_overload = functools.partial(_cached, dispatcher._cache)
        return dispatcher

    @property
    def _numba_type_(self) -> Any:  # what numba asks of a global that it does not know
        return self._dispatcher._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self._dispatcher(*arguments)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function of the machine to native code, cached on disk."""
    return Compiled(function, nogil=False)


def unlocked(function: Callable[..., Any]) -> Any:
    """Compile a function that takes its time: while it runs, other threads of Python do, too.

    Only for those. Who comes back from one waits until the other threads let go of the lock, up
    to 5 ms (sys.getswitchinterval): a hundred short calls would take half a second.
    """
    return Compiled(function, nogil=True)


def _cached(cache: Any, signature: Any, context: Any) -> Any:
    """Return a function's native code from its cache, None if it is not there.

    numba's own way there begins with the import of all that it knows how to compile, a tenth of
    a second that is only needed where the answer is None; its compiler does that by itself.
    """
    rtsys.initialize(context)  # the memory of arrays that native code makes
    return cache._load_overload(signature, context)


def by_engine(function: Callable[..., Any]) -> Any:
    """Compile a function that lets QEMU do the work; the reference engine has one in `delivery`."""
    return jit(function)


class Hook:
    """A function that the engine calls back; `addresses` compiles it."""

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        self.function, self.signature = function, signature


def hook(signature: Any) -> Callable[[Callable[..., Any]], Hook]:
    """Mark a function as one that the engine calls back. It must not raise."""
    return lambda function: Hook(function, signature)


def addresses(*hooks: Hook) -> Any:
    """Make an intrinsic whose value is a tuple of the addresses of hooks.

    All in one piece of native code: for each in a piece of its own, what several of them call was
    compiled and loaded as often, which took a quarter of a second of every start.
    """
    result = types.UniTuple(types.int64, len(hooks))

    @intrinsic
    def address(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            found = [_native_hook(context, builder, each) for each in hooks]
            return context.make_tuple(builder, result, found)

        return result(), generate

    return address


def _native_hook(context: Any, builder: Any, hook: Hook) -> Any:
    """Make the C function of a hook; returns its address."""
    signature, returns = hook.signature, hook.signature.return_type
    silent = returns == types.void
    native = ir.Function(
        builder.module,
        ir.FunctionType(
            ir.VoidType() if silent else context.get_return_type(returns),
            [context.get_argument_type(parameter) for parameter in signature.args],
        ),
        f"textpoke_{hook.function.__name__}",
    )
    body = ir.IRBuilder(native.append_basic_block())
    arguments = [
        context.data_model_manager[parameter].from_argument(body, given)
        for parameter, given in zip(signature.args, native.args, strict=True)
    ]
    value = _call_compiled(context, builder, body, hook.function, signature, arguments)
    if silent:
        body.ret_void()
    else:
        body.ret(context.data_model_manager[returns].as_return(body, value))
    return builder.ptrtoint(native, ir.IntType(64))


def _call_compiled(
    context: Any,
    builder: Any,
    body: Any,
    python: Callable[..., Any],
    signature: Any,
    arguments: Sequence[Any],
    *,
    inline: bool = False,
) -> Any:
    """Compile a function and call it in `body`; returns what it returns."""
    flags = Flags()
    flags.nrt, flags.error_model, flags.forceinline = True, "numpy", inline
    compiled = context.compile_subroutine(builder, python, signature, flags=flags)
    return context.call_internal_no_propagate(body, compiled.fndesc, signature, arguments)[1]


def entry(quick: Callable[..., bool], full: Callable[..., None] | None, *parameters: Any) -> Any:
    """Make an intrinsic whose value is the address of a function that the engine calls.

    Both functions get the address to which they will return, and then the parameters, and must not
    raise. `quick` is asked first and returns whether that was all; else `full` is called. `quick`
    is part of the native function, `full` is not: so what happens most has no frame to set up.
    Unlike a `Hook`, they are told where they were called.
    """

    @intrinsic
    def address(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            word, byte_pointer = ir.IntType(64), ir.IntType(8).as_pointer()
            given = [context.get_value_type(parameter) for parameter in parameters]

            def function(name: str, arguments: list[Any]) -> tuple[Any, Any]:
                kind = ir.FunctionType(ir.VoidType(), arguments)
                native = ir.Function(builder.module, kind, f"textpoke_{name}")
                return native, ir.IRBuilder(native.append_basic_block())

            def call(body: Any, python: Any, returns: Any, arguments: Any, *, inline: bool) -> Any:
                signature = returns(types.int64, *parameters)
                return _call_compiled(
                    context, builder, body, python, signature, arguments, inline=inline
                )

            slow = None
            if full:
                slow, body = function(full.__name__, [word, *given])
                slow.attributes.add("noinline")
                call(body, full, types.void, slow.args, inline=False)
                body.ret_void()

            native, body = function(quick.__name__, given)
            return_address = builder.module.declare_intrinsic(
                "llvm.returnaddress", (), ir.FunctionType(byte_pointer, [ir.IntType(32)])
            )
            caller = body.ptrtoint(body.call(return_address, [ir.IntType(32)(0)]), word)
            arguments = [caller, *native.args]
            done = call(body, quick, types.boolean, arguments, inline=True)
            if slow:
                with body.if_then(body.not_(done)):
                    body.call(slow, arguments)
            body.ret_void()
            return builder.ptrtoint(native, word)

        return types.int64(), generate

    return address


def external(library: ctypes.CDLL, name: str, signature: Any) -> Any:
    """Make an exported function of the engine callable from native code."""
    try:
        address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    except AttributeError:
        raise Unsupported(
            f"this build of Unicorn does not export {name}: "
            "textpoke needs unicorn 2.1.4 from PyPI for Linux on x86-64"
        ) from None
    llvm.add_symbol(f"textpoke_{name}", address)
    return types.ExternalFunction(f"textpoke_{name}", signature)


def _load(bits: int) -> Any:
    @intrinsic
    def load(context: Any, address: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            value = builder.load(pointer, align=1)
            return value if bits == 64 else builder.zext(value, ir.IntType(64))

        return types.int64(types.int64), generate

    return load


def _store(bits: int) -> Any:
    @intrinsic
    def store(context: Any, address: Any, value: Any) -> Any:
        def generate(generator: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            value = arguments[1]
            if bits != 64:
                value = builder.trunc(value, ir.IntType(bits))
            builder.store(value, pointer, align=1)
            return generator.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return store


# Host memory by address. Loads are zero-extended; 64-bit values are the same bits, signed.
load8, load16, load32, load64 = _load(8), _load(16), _load(32), _load(64)
store8, store16, store32, store64 = _store(8), _store(16), _store(32), _store(64)


@intrinsic
def copy(context: Any, target: Any, source: Any, size: Any) -> Any:
    """Copy bytes from one host address to another."""

    def generate(generator: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        to, origin = (builder.inttoptr(at, ir.IntType(8).as_pointer()) for at in arguments[:2])
        cgutils.raw_memcpy(builder, to, origin, arguments[2], 1)
        return generator.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def pointer(context: Any, address: Any) -> Any:
    """Turn a host address into a void pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate
