"""The transcendental instructions of the x87, executed by the machine with arithmetic of its own.

F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS. The engine hands them to the host's C
library, whose last bits differ from host to host; `x87_math` says why ours do not. As in the
engine, arguments are rounded to doubles, and results are doubles: 53 bits of the 64. What the
manual leaves undefined (F2XM1 beyond 1) leaves the argument as it is.

Source: Intel SDM volume 2, and volume 1, "Transcendental Instructions"; QEMU 5.0
target/i386/fpu_helper.c for what becomes of the status word.
"""

import math

from emu.machine import x87_math
from emu.machine.native import jit, load16, load32, load64, store8, store16, store32, store64
from emu.machine.state import M_ENV, State
from emu.machine.unicorn_layout import FPU_STACK, FPU_STATUS, FPU_TAGS, FPU_TOP

F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS = 0, 1, 2, 3, 9, 11, 14, 15
"""The functions, by the low half of their second byte."""

_C2, _CONDITIONS = 0x400, 0x4700  # of the status word
_TOO_LARGE = 2.0**63  # an angle that is not reduced: C2 says so
_BIAS, _SPECIAL, _SIGN = 16383, 0x7FFF, 0x8000
_QUIET_NAN, _INFINITE = -(1 << 62), -(1 << 63)  # mantissas, signed
_TWO_32 = 4294967296.0


@jit
def execute(s: State, function: int) -> None:
    """Execute a function on the running core's stack."""
    if function in (FPTAN, FSINCOS, FSIN, FCOS):
        _trigonometric(s, function)
    elif function == F2XM1:
        value = _read(s, 0)
        if abs(value) <= 1.0 and value != 0.0:
            _write(s, 0, x87_math.power_of_two_minus_one(value))
    elif function == FPATAN:
        _write(s, 1, _angle(_read(s, 1), _read(s, 0)))
        _pop(s)
    else:
        _scaled_logarithm(s, 1.0 if function == FYL2XP1 else 0.0)


@jit
def _trigonometric(s: State, function: int) -> None:
    value = _read(s, 0)
    status = load16(s.m[M_ENV] + FPU_STATUS)
    if abs(value) >= _TOO_LARGE and not math.isinf(value):
        store16(s.m[M_ENV] + FPU_STATUS, status | _C2)
        return
    store16(s.m[M_ENV] + FPU_STATUS, status & ~_C2)
    sine = cosine = tangent = math.nan
    if value == 0.0:
        sine, cosine, tangent = value, 1.0, value
    elif abs(value) < _TOO_LARGE:
        sine, cosine = x87_math.sine_and_cosine(value)
        tangent = x87_math.tangent(value)
    if function == FCOS:
        _write(s, 0, cosine)
    else:
        _write(s, 0, tangent if function == FPTAN else sine)
    if function == FPTAN or function == FSINCOS:
        _push(s)
        _write(s, 0, 1.0 if function == FPTAN else cosine)


@jit
def _scaled_logarithm(s: State, more: float) -> None:
    """Put ST1 * log2(ST0 + more) into ST1 and pop; where there is no logarithm, C2 says so."""
    value, factor = _read(s, 0), _read(s, 1)
    if not value + more > 0.0:
        status = load16(s.m[M_ENV] + FPU_STATUS)
        store16(s.m[M_ENV] + FPU_STATUS, status & ~_CONDITIONS | _C2)
        return
    if math.isinf(value):
        result = value * factor
    elif math.isinf(factor) or math.isnan(factor) or factor == 0.0:
        result = x87_math.logarithm(value, more, 1.0) * factor
    else:
        result = x87_math.logarithm(value, more, factor)
    _write(s, 1, result)
    _pop(s)


@jit
def _angle(y: float, x: float) -> float:
    """Return the angle of the point (x, y), with the manual's table for zeros and infinities."""
    if math.isnan(x) or math.isnan(y):
        return math.nan
    if math.isinf(x) or math.isinf(y):
        left = math.copysign(1.0, x) if math.isinf(x) else 0.0
        up = math.copysign(1.0, y) if math.isinf(y) else 0.0
        angle = 0.0 if up == 0.0 and left > 0.0 else x87_math.arc_tangent(abs(up), left)
    elif y == 0.0:
        angle = 0.0 if math.copysign(1.0, x) > 0.0 else x87_math.arc_tangent(0.0, -1.0)
    else:
        angle = x87_math.arc_tangent(abs(y), x)
    return math.copysign(angle, y)


@jit
def _register(s: State, number: int) -> int:
    """Return the host address of ST(number)."""
    return s.m[M_ENV] + FPU_STACK + 16 * (load32(s.m[M_ENV] + FPU_TOP) + number & 7)


@jit
def _read(s: State, number: int) -> float:
    """Return ST(number), rounded to a double."""
    at = _register(s, number)
    mantissa, word = load64(at), load16(at + 8)
    exponent = word & _SPECIAL
    value = float(mantissa >> 32 & 0xFFFFFFFF) * _TWO_32 + float(mantissa & 0xFFFFFFFF)
    if exponent == _SPECIAL:
        value = math.inf if mantissa == _INFINITE else math.nan
    else:
        value = math.ldexp(value, exponent - _BIAS - 63)
    return -value if word & _SIGN else value


@jit
def _write(s: State, number: int, value: float) -> None:
    """Set ST(number), and note that it is not empty."""
    at = _register(s, number)
    sign = _SIGN if math.copysign(1.0, value) < 0.0 else 0
    if math.isnan(value):
        sign, exponent, mantissa = _SIGN, _SPECIAL, _QUIET_NAN
    elif math.isinf(value):
        exponent, mantissa = _SPECIAL, _INFINITE
    elif value == 0.0:
        exponent = mantissa = 0
    else:
        fraction, power = math.frexp(abs(value))
        high = int(fraction * _TWO_32)
        low = int((fraction * _TWO_32 - float(high)) * _TWO_32)
        exponent, mantissa = power - 1 + _BIAS, high << 32 | low
    store64(at, mantissa)
    store16(at + 8, sign | exponent)
    store8(s.m[M_ENV] + FPU_TAGS + (load32(s.m[M_ENV] + FPU_TOP) + number & 7), 0)


@jit
def _push(s: State) -> None:
    store32(s.m[M_ENV] + FPU_TOP, load32(s.m[M_ENV] + FPU_TOP) - 1 & 7)


@jit
def _pop(s: State) -> None:
    top = load32(s.m[M_ENV] + FPU_TOP)
    store8(s.m[M_ENV] + FPU_TAGS + top, 1)
    store32(s.m[M_ENV] + FPU_TOP, top + 1 & 7)
