"""The way from the engine into uncompiled hooks, and from these back into the engine.

The engine leaves blocks and raises faults by longjmp to its main loop, also out of functions that
hooks call: some never return, and the delivery of an exception may meet another on its way. A
longjmp must not cross the frames of Python. So, with a few native instructions made here:

* a function of the engine that a hook calls is called with the engine's jump buffer replaced.
  If it leaves, it comes out right here, and `Departed` unwinds the frames of Python instead;
* the hook then returns to the native code by which the engine had called it, and only that leaves
  for the main loop, from which everything goes on as if it had been left at once.

An exception out of a Python hook cannot cross the engine either: it is kept, the block left, the
engine stopped, and it is raised again behind the call of the engine.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Final

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types

from emu.machine.unicorn_layout import JUMP_BUFFER_SIZE, UC_JUMP_BUFFER, UC_TO_CPU
from emu.machine.unicorn_library import leave_block, leave_loop, stop_engine

_WORD, _INT = ir.IntType(64), ir.IntType(32)

_CTYPES: Final[dict[Any, Any]] = {
    types.void: None,
    types.boolean: ctypes.c_bool,
    types.int32: ctypes.c_int32,
    types.uint32: ctypes.c_uint32,
    types.int64: ctypes.c_int64,
    types.uint64: ctypes.c_uint64,
    types.voidptr: ctypes.c_int64,  # an int, where ctypes would make None of NULL
}
_MAX_ARGUMENTS = 7  # of a function of the engine

_departure = (ctypes.c_int64 * 2)()  # how a hook leaves, by a function of CPUState *, or 0
_left = (ctypes.c_int64 * 1)()  # whether the last guarded call left
_engine = 0  # the uc_struct whose hook runs, or 0
_trouble: list[BaseException] = []
_alive: list[Any] = []  # what native code refers to


class Departed(Exception):  # noqa: N818 -- nothing went wrong
    """Unwinds the Python frames of a hook that leaves for the engine's main loop."""


# --- from the engine into a hook ---------------------------------------------------------------


def callback(function: Callable[..., Any], signature: Any, *, told_caller: bool = False) -> int:
    """Return the address of a native function that calls a Python one.

    The first parameter of `signature` is the engine. told_caller: `function` gets the address to
    which the native one will return, before its parameters.
    """
    place = 1 if told_caller else 0

    def guarded(*arguments: Any) -> Any:
        global _engine  # noqa: PLW0603 -- hooks nest: a delivery asks where its stack is
        outer, _engine = _engine, arguments[place]
        try:
            return function(*arguments)
        except Departed:
            return _leave(leave_loop)
        except BaseException as error:  # noqa: BLE001 -- it is raised again, behind the engine
            _trouble.append(error)
            stop_engine(_engine)
            return _leave(leave_block)
        finally:
            _engine = outer

    told = signature.return_type(types.int64, *signature.args) if told_caller else signature
    python = _prototype(told)(guarded)
    _alive.append(python)
    return _compile(_between(_address(python), signature, told_caller))


def _leave(how: int) -> int:
    """Have a hook leave when it has returned; returns what it returns."""
    _departure[0] = how
    _departure[1] = ctypes.c_int64.from_address(_engine + UC_TO_CPU).value
    return 0


def _between(python: int, signature: Any, told_caller: bool) -> ir.Module:
    """Return the native code between the engine and the Python function at this address."""
    result = _native_type(signature.return_type)
    module = ir.Module()
    kind = ir.FunctionType(result, [_native_type(kind) for kind in signature.args])
    native = ir.Function(module, kind, "native")
    builder = ir.IRBuilder(native.append_basic_block())
    given = list(native.args)
    if told_caller:
        kind = ir.FunctionType(ir.IntType(8).as_pointer(), [_INT])
        caller = builder.call(ir.Function(module, kind, "llvm.returnaddress"), [_INT(0)])
        given.insert(0, builder.ptrtoint(caller, _WORD))
    value = _call(builder, _WORD(python), result, given)
    how, cpu = (_at(builder, _WORD(ctypes.addressof(_departure) + at)) for at in (0, 8))
    leaving = builder.load(how)
    with builder.if_then(builder.icmp_unsigned("!=", leaving, _WORD(0)), likely=False):
        builder.store(_WORD(0), how)
        _call(builder, leaving, ir.VoidType(), [builder.load(cpu)])
    if isinstance(result, ir.VoidType):
        builder.ret_void()
    else:
        builder.ret(value)
    return module


# --- from a hook, or from outside, into the engine ---------------------------------------------


def external(library: ctypes.CDLL, name: str, signature: Any) -> Callable[..., Any]:
    """Return what calls an exported function of the engine from Python.

    It raises Departed if the function leaves for the engine's main loop, and what a hook raised
    while the function ran.
    """
    function = _prototype(signature)((name, library))
    address, narrow = _address(function), _CTYPES[signature.return_type]
    rest = (0,) * (_MAX_ARGUMENTS - len(signature.args))

    def call(*arguments: int) -> Any:
        if not _engine:
            result = function(*arguments)
        else:
            result = _guard(address, _engine + UC_JUMP_BUFFER, *arguments, *rest)
            if _left[0]:
                raise Departed
            result = narrow(result).value if narrow else None
        if _trouble:
            error = _trouble[0]
            _trouble.clear()
            raise error
        return result

    return call


def _guarding() -> ir.Module:
    """Return native code that calls a function whose longjmp ends here.

    Parameters: the function, the jump buffer it would use, and its arguments, of which it takes
    as many as it has, each from its own register or word of the stack.
    """
    module = ir.Module()
    kind = ir.FunctionType(_WORD, [_WORD] * (2 + _MAX_ARGUMENTS))
    native = ir.Function(module, kind, "native")
    function, buffer, *arguments = native.args
    kind = ir.FunctionType(_INT, [_WORD, _INT])
    setjmp = ir.Function(module, kind, "__sigsetjmp")  # of the C library: <setjmp.h>
    setjmp.attributes.add("returns_twice")
    builder = ir.IRBuilder(native.append_basic_block())
    left = _at(builder, _WORD(ctypes.addressof(_left)))
    words = range(0, JUMP_BUFFER_SIZE, 8)
    places = [_at(builder, builder.add(buffer, _WORD(at))) for at in words]
    before = [builder.alloca(_WORD) for _ in words]
    for place, kept in zip(places, before, strict=True):
        builder.store(builder.load(place), kept)
    came_back = builder.icmp_signed("!=", builder.call(setjmp, [buffer, _INT(0)]), _INT(0))
    with builder.if_else(came_back) as (then, otherwise):
        with then:
            gone = builder.block
        with otherwise:
            value = _call(builder, function, _WORD, arguments)
            returned = builder.block
    result = builder.phi(_WORD)
    result.add_incoming(_WORD(0), gone)
    result.add_incoming(value, returned)
    for place, kept in zip(places, before, strict=True):
        builder.store(builder.load(kept), place)
    builder.store(builder.zext(came_back, _WORD), left)
    builder.ret(result)
    return module


# --- native code -------------------------------------------------------------------------------


def _prototype(signature: Any) -> Any:
    """Return the ctypes prototype of a function with a numba signature.

    The global lock of Python is not given back on the way: a sixth faster, hooks being most calls.
    """
    arguments = (_CTYPES[kind] for kind in signature.args)
    return ctypes.PYFUNCTYPE(_CTYPES[signature.return_type], *arguments)


def _address(function: Any) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


def _native_type(kind: Any) -> Any:
    ctype = _CTYPES[kind]
    return ir.IntType(8 * ctypes.sizeof(ctype)) if ctype else ir.VoidType()


def _at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _WORD.as_pointer())


def _call(builder: Any, address: Any, result: Any, arguments: list[Any]) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.inttoptr(address, kind.as_pointer()), arguments)


def _compile(module: ir.Module) -> int:
    """Return the address of the function "native"."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    engine = llvm.create_mcjit_compiler(
        llvm.parse_assembly(str(module)), target.create_target_machine()
    )
    engine.finalize_object()
    _alive.append(engine)
    return int(engine.get_function_address("native"))


_guard = ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * (2 + _MAX_ARGUMENTS))(
    _compile(_guarding())
)
