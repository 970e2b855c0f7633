"""How native code sees a `State`: as one address.

numba passes a tuple of arrays by value, a hundred words for every call, with a reference count
for each array; that made hooks thirty times slower. So a `State` is unboxed to the address of
its scalars, among which the addresses of the other arrays stand, and `s.core[core, C_IRQ]` is
two loads. Bytes are loaded as int64, zero-extended. There are no bounds checks: native code
only uses column numbers of `state` and row numbers it has compared.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import (
    NativeValue,
    intrinsic,
    models,
    overload,
    overload_attribute,
    register_model,
    typeof_impl,
    unbox,
)

from emu.machine.state import M_TABLES, TABLES, State

_WORD = ir.IntType(64)


class StateType(types.Type):  # type: ignore[misc] # numba has no types
    """The numba type of a State."""

    def __init__(self) -> None:
        super().__init__("State")


class TableType(types.Type):  # type: ignore[misc] # numba has no types
    """The numba type of one array of a State: element size in bits, and columns (0: a vector)."""

    def __init__(self, bits: int, columns: int) -> None:
        self.bits, self.columns = bits, columns
        super().__init__(f"Table({bits}, {columns})")


_STATE = StateType()


@register_model(StateType)
@register_model(TableType)
class _AddressModel(models.PrimitiveModel):  # type: ignore[misc] # numba has no types
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _WORD)


@typeof_impl.register(State)
def _typeof_state(_value: State, _context: Any) -> StateType:
    return _STATE


@unbox(StateType)
def _unbox_state(_kind: Any, value: Any, context: Any) -> NativeValue:
    address = context.pyapi.object_getattr_string(value, "address")
    native = context.pyapi.long_as_longlong(address)
    context.pyapi.decref(address)
    return NativeValue(
        native, is_error=cgutils.is_not_null(context.builder, context.pyapi.err_occurred())
    )


@intrinsic
def state_at(context: Any, data: Any) -> Any:
    """Turn the pointer that a hook is given into the State."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], _WORD)

    return _STATE(types.voidptr), generate


def _table_getter(slot: int | None, kind: TableType) -> Any:
    @intrinsic
    def get(context: Any, state: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            if slot is None:
                return arguments[0]
            at = builder.add(arguments[0], _WORD(8 * (M_TABLES + slot)))
            return builder.load(builder.inttoptr(at, _WORD.as_pointer()))

        return kind(_STATE), generate

    return get


def _define_attribute(name: str, slot: int | None, kind: TableType) -> None:
    get = _table_getter(slot, kind)

    @overload_attribute(StateType, name, inline="never")
    def attribute(state):  # type: ignore[no-untyped-def] # numba compares the signatures
        return lambda state: get(state)


_define_attribute("m", None, TableType(64, 0))
for _slot, (_name, _bits, _columns) in enumerate(TABLES):
    _define_attribute(_name, _slot, TableType(_bits, _columns))


def _element(builder: Any, kind: TableType, base: Any, index: Any) -> Any:
    size = kind.bits // 8
    at = builder.add(base, builder.mul(index, _WORD(size)))
    return builder.inttoptr(at, ir.IntType(kind.bits).as_pointer())


def _flat(builder: Any, kind: TableType, index_type: Any, index: Any) -> Any:
    if kind.columns == 0:
        return index
    row, column = cgutils.unpack_tuple(builder, index, 2)
    return builder.add(builder.mul(row, _WORD(kind.columns)), column)


def _index_type(table: Any) -> Any:
    return types.UniTuple(types.int64, 2) if table.columns else types.int64


@intrinsic
def _load_element(context: Any, table: Any, index: Any) -> Any:
    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, at = arguments
        pointer = _element(builder, table, base, _flat(builder, table, index, at))
        value = builder.load(pointer)
        return value if table.bits == 64 else builder.zext(value, _WORD)

    return types.int64(table, _index_type(table)), generate


@intrinsic
def _store_element(context: Any, table: Any, index: Any, value: Any) -> Any:
    def generate(generator: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, at, number = arguments
        pointer = _element(builder, table, base, _flat(builder, table, index, at))
        if table.bits != 64:
            number = builder.trunc(number, ir.IntType(table.bits))
        builder.store(number, pointer)
        return generator.get_dummy_value()

    return types.void(table, _index_type(table), types.int64), generate


@overload(operator.getitem)
def _getitem(table, index):  # type: ignore[no-untyped-def] # numba compares the signatures
    if isinstance(table, TableType):
        return lambda table, index: _load_element(table, index)
    return None


@overload(operator.setitem)
def _setitem(table, index, value):  # type: ignore[no-untyped-def] # numba compares the signatures
    if isinstance(table, TableType):
        return lambda table, index, value: _store_element(table, index, value)
    return None
