"""DWARF expressions, as call frame rules have them: a small machine with a stack of 64-bit words.

What gcc and gas emit for frames, and the arithmetic of any producer. No operation that needs a
frame base, a thread, a type or another expression: those make no sense here. Steps and depth are
bounded. Source: DWARF 5, sections 2.5.1 and 7.7.1. A malformed expression raises Malformed.
"""

from collections.abc import Callable
from typing import Final

from emu.image.cursor import Cursor, Malformed

MAX_STEPS, MAX_DEPTH = 1000, 64
_WORD: Final = (1 << 64) - 1

_ADDR, _DEREF, _DEREF_SIZE = 0x03, 0x06, 0x94
_CONSTANTS: Final = {
    0x08: (1, False), 0x09: (1, True), 0x0A: (2, False), 0x0B: (2, True),
    0x0C: (4, False), 0x0D: (4, True), 0x0E: (8, False), 0x0F: (8, True),
}  # fmt: skip
_CONSTU, _CONSTS = 0x10, 0x11
_DUP, _DROP, _OVER, _PICK, _SWAP, _ROT = 0x12, 0x13, 0x14, 0x15, 0x16, 0x17
_BRA, _SKIP = 0x28, 0x2F
_LIT0, _BREG0, _BREGX, _NOP = 0x30, 0x70, 0x92, 0x96
_PLUS_UCONST = 0x23


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _divide(left: int, right: int) -> int:
    left, right = _signed(left), _signed(right)
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_UNARY: Final[dict[int, Callable[[int], int]]] = {
    0x19: lambda value: abs(_signed(value)),
    0x1F: lambda value: -value,
    0x20: lambda value: ~value,
}
_BINARY: Final[dict[int, Callable[[int, int], int]]] = {
    0x1A: lambda left, right: left & right,
    0x1B: _divide,
    0x1C: lambda left, right: left - right,
    0x1D: lambda left, right: left % right,
    0x1E: lambda left, right: left * right,
    0x21: lambda left, right: left | right,
    0x22: lambda left, right: left + right,
    0x24: lambda left, right: left << right if right < 64 else 0,
    0x25: lambda left, right: left >> right if right < 64 else 0,
    0x26: lambda left, right: _signed(left) >> min(right, 63),
    0x27: lambda left, right: left ^ right,
    0x29: lambda left, right: left == right,
    0x2A: lambda left, right: _signed(left) >= _signed(right),
    0x2B: lambda left, right: _signed(left) > _signed(right),
    0x2C: lambda left, right: _signed(left) <= _signed(right),
    0x2D: lambda left, right: _signed(left) < _signed(right),
    0x2E: lambda left, right: left != right,
}


def evaluate(
    code: bytes,
    register: Callable[[int], int],
    read: Callable[[int, int], int],
    stack: tuple[int, ...] = (),
) -> int:
    """Return what an expression computes.

    register: the value of a column. read: (address, size) a number in memory. Both may raise.
    stack: what is on it at the start; the CFA, for the rules of registers.
    """
    return _Evaluation(code, register, read, stack).result()


class _Evaluation:
    def __init__(
        self,
        code: bytes,
        register: Callable[[int], int],
        read: Callable[[int, int], int],
        stack: tuple[int, ...],
    ) -> None:
        self._cursor, self._stack = Cursor(code), list(stack)
        self._register, self._read = register, read

    def result(self) -> int:
        for _ in range(MAX_STEPS):
            if not self._cursor:
                return self._pop()
            self._one(self._cursor.uint(1))
            if len(self._stack) > MAX_DEPTH:
                raise Malformed(f"over {MAX_DEPTH} words on the stack of an expression")
        raise Malformed(f"an expression of over {MAX_STEPS} steps")

    def _one(self, op: int) -> None:
        """Execute an operation."""
        if op in _BINARY:
            right, left = self._pop(), self._pop()
            if right == 0 and op in (0x1B, 0x1D):
                raise Malformed("a division by zero")
            self._push(_BINARY[op](left, right))
        elif op in _UNARY:
            self._push(_UNARY[op](self._pop()))
        elif op == _DEREF:
            self._push(self._read(self._pop(), 8))
        elif op == _DEREF_SIZE:
            self._push(self._dereference(self._cursor.uint(1)))
        elif op in (_BRA, _SKIP):
            self._branch(always=op == _SKIP)
        elif _DUP <= op <= _ROT:
            self._shuffle(op)
        elif op != _NOP:
            self._push(self._value(op))

    def _value(self, op: int) -> int:  # noqa: PLR0911 -- a switch
        """Return what an operation pushes that takes nothing but its operands."""
        cursor = self._cursor
        if _LIT0 <= op < _LIT0 + 32:
            return op - _LIT0
        if _BREG0 <= op < _BREG0 + 32:
            return self._register(op - _BREG0) + cursor.sleb()
        if op in _CONSTANTS:
            size, signed = _CONSTANTS[op]
            return cursor.sint(size) if signed else cursor.uint(size)
        if op == _BREGX:
            return self._register(cursor.uleb()) + cursor.sleb()
        if op == _PLUS_UCONST:
            return self._pop() + cursor.uleb()
        if op == _ADDR:
            return cursor.uint(8)
        if op == _CONSTU:
            return cursor.uleb()
        if op == _CONSTS:
            return cursor.sleb()
        raise Malformed(f"unknown operation {op:#x} in an expression")

    def _dereference(self, size: int) -> int:
        if not 1 <= size <= 8:
            raise Malformed(f"an expression reads {size} bytes")
        return self._read(self._pop(), size)

    def _branch(self, *, always: bool) -> None:
        distance = self._cursor.sint(2)
        if always or self._pop():
            self._cursor = Cursor(self._cursor.data, self._cursor.at + distance)

    def _shuffle(self, op: int) -> None:
        stack = self._stack
        if op == _DROP:
            self._pop()
        elif op == _SWAP:
            stack[-2:] = [self._peek(0), self._peek(1)]
        elif op == _ROT:
            stack[-3:] = [self._peek(0), self._peek(2), self._peek(1)]
        else:
            self._push(self._peek(self._cursor.uint(1) if op == _PICK else op == _OVER))

    def _peek(self, index: int) -> int:
        if index >= len(self._stack):
            raise Malformed("an expression takes what is not there")
        return self._stack[-1 - index]

    def _pop(self) -> int:
        value = self._peek(0)
        self._stack.pop()
        return value

    def _push(self, value: int) -> None:
        self._stack.append(value & _WORD)
