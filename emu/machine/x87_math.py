"""Sine, tangent, arc tangent, logarithm and power of two, the same to the last bit on every host.

The engine hands the x87's transcendental instructions to the C library, whose last bits depend on
its version and on the processor. These functions use nothing but additions, multiplications and
divisions of doubles, which IEEE 754 defines exactly. They calculate with pairs of doubles whose
sum is the value ("double-double", about 106 bits): series after a reduction of the argument. The
double nearest to the result comes out but for one case in many billions; the C library is allowed
to be off by one bit, and seldom is.

Source of the pair arithmetic: T. J. Dekker, "A floating-point technique for extending the available
precision", Numerische Mathematik 18 (1971).
"""

import math

import numpy as np

from emu.machine.native import jit

_SPLITTER = 134217729.0  # 2**27 + 1: splits 53 bits into two halves
_TERMS = 30  # of a series: arguments are below 1, usually far below
# pi / 2, ln 2: leading doubles of their binary expansions
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
_LN2 = (0.6931471805599453, 2.3190468138462996e-17)


@jit
def _sum(a: float, b: float) -> tuple[float, float]:
    """Return a + b exactly, as a pair."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@jit
def _product(a: float, b: float) -> tuple[float, float]:
    """Return a * b exactly, as a pair. By splitting: not every host has a fused operation."""
    total = a * b
    high_a = _SPLITTER * a - (_SPLITTER * a - a)
    high_b = _SPLITTER * b - (_SPLITTER * b - b)
    low_a, low_b = a - high_a, b - high_b
    return total, ((high_a * high_b - total) + high_a * low_b + low_a * high_b) + low_a * low_b


@jit
def _add(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    high, low = _sum(a[0], b[0])
    more, rest = _sum(a[1], b[1])
    high, low = _sum(high, low + more)
    return _sum(high, low + rest)


@jit
def _multiply(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    high, low = _product(a[0], b[0])
    return _sum(high, low + (a[0] * b[1] + a[1] * b[0]))


@jit
def _divide(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    first = a[0] / b[0]
    rest = _add(a, _multiply((-first, 0.0), b))
    second = rest[0] / b[0]
    rest = _add(rest, _multiply((-second, 0.0), b))
    return _add(_sum(first, second), (rest[0] / b[0], 0.0))


@jit
def _reduce(x: float) -> tuple[int, tuple[float, float]]:
    """Return (quadrant, rest) of an angle: x = quadrant * pi / 2 + rest, |rest| <= pi / 4.

    A large angle needs several passes: how many quarters it has, a double does not hold exactly.
    """
    quadrant, rest = 0.0, (x, 0.0)
    for _ in range(3):
        quarters = np.floor(rest[0] / _HALF_PI[0] + 0.5)
        quadrant += quarters - 4.0 * np.floor(quarters / 4.0)
        for part in _HALF_PI:
            rest = _add(rest, _product(-quarters, part))
    return int(quadrant), rest


@jit
def _sine_series(
    x: tuple[float, float], first: tuple[float, float], n: float
) -> tuple[float, float]:
    """Return first - first * x**2 / ((n+1)(n+2)) + ...: sine from (x, 1), cosine from (1, 0)."""
    square = _multiply(x, x)
    term = total = first
    for _ in range(_TERMS):
        term = _divide(_multiply(term, square), (-(n + 1.0) * (n + 2.0), 0.0))
        total = _add(total, term)
        n += 2.0
    return total


@jit
def sine_and_cosine(x: float) -> tuple[float, float]:
    """Return the sine and the cosine of an angle below 2**63 in radians."""
    sine, cosine = _sine_and_cosine(x)
    return sine[0] + sine[1], cosine[0] + cosine[1]


@jit
def _sine_and_cosine(x: float) -> tuple[tuple[float, float], tuple[float, float]]:
    quadrant, rest = _reduce(x)
    sine = _sine_series(rest, rest, 1.0)
    cosine = _sine_series(rest, (1.0, 0.0), 0.0)
    if quadrant & 1:
        sine, cosine = cosine, (-sine[0], -sine[1])
    if quadrant & 2:
        sine, cosine = (-sine[0], -sine[1]), (-cosine[0], -cosine[1])
    return sine, cosine


@jit
def tangent(x: float) -> float:
    """Return the tangent of an angle below 2**63 in radians."""
    sine, cosine = _sine_and_cosine(x)
    quotient = _divide(sine, cosine)
    return quotient[0] + quotient[1]


@jit
def _exponential(x: tuple[float, float]) -> tuple[float, float]:
    """Return e**x - 1 for |x| below 1."""
    term = total = x
    for n in range(2, _TERMS):
        term = _divide(_multiply(term, x), (float(n), 0.0))
        total = _add(total, term)
    return total


@jit
def power_of_two_minus_one(x: float) -> float:
    """Return 2**x - 1 for |x| up to 1."""
    result = _exponential(_multiply((x, 0.0), _LN2))
    return result[0] + result[1]


@jit
def _logarithm(x: tuple[float, float]) -> tuple[float, float]:
    """Return ln(x) for x from 1/2 to 2: 2 artanh((x - 1) / (x + 1)), by its series."""
    ratio = _divide(_add(x, (-1.0, 0.0)), _add(x, (1.0, 0.0)))
    square = _multiply(ratio, ratio)
    power = total = ratio
    for n in range(1, 2 * _TERMS):
        power = _multiply(power, square)
        total = _add(total, _divide(power, (2.0 * n + 1.0, 0.0)))
    return (2.0 * total[0], 2.0 * total[1])


@jit
def logarithm(x: float, more: float, factor: float) -> float:
    """Return factor * log2(x + more) for a finite sum above 0."""
    high, low = _sum(x, more)
    exponent = 0.0
    while high > 1.5:
        high, low, exponent = high * 0.5, low * 0.5, exponent + 1.0
    while high < 0.75:
        high, low, exponent = high * 2.0, low * 2.0, exponent - 1.0
    binary = _add((exponent, 0.0), _divide(_logarithm((high, low)), _LN2))
    result = _multiply((factor, 0.0), binary)
    return result[0] + result[1]


@jit
def arc_tangent(y: float, x: float) -> float:
    """Return the angle of the point (x, y), from -pi to pi; both finite, not both 0."""
    steep = abs(y) > abs(x)
    ratio = (
        _divide((abs(x), 0.0), (abs(y), 0.0)) if steep else _divide((abs(y), 0.0), (abs(x), 0.0))
    )
    angle = _arc(ratio)
    half_pi = (_HALF_PI[0], _HALF_PI[1])
    if steep:
        angle = _add(half_pi, (-angle[0], -angle[1]))
    if x < 0.0:
        angle = _add((2.0 * half_pi[0], 2.0 * half_pi[1]), (-angle[0], -angle[1]))
    return math.copysign(angle[0] + angle[1], y)  # also of a zero's


@jit
def _arc(ratio: tuple[float, float]) -> tuple[float, float]:
    """Return the arc tangent of a ratio from 0 to 1: halved three times, then by its series."""
    for _ in range(3):
        square = _add((1.0, 0.0), _multiply(ratio, ratio))
        ratio = _divide(ratio, _add((1.0, 0.0), _root(square)))
    square = _multiply(ratio, ratio)
    power = total = ratio
    for n in range(1, _TERMS):
        power = _multiply(power, (-square[0], -square[1]))
        total = _add(total, _divide(power, (2.0 * n + 1.0, 0.0)))
    return (8.0 * total[0], 8.0 * total[1])


@jit
def _root(x: tuple[float, float]) -> tuple[float, float]:
    """Return a square root: the double's, and one step of Newton's method."""
    root = np.sqrt(x[0])
    rest = _add(x, _multiply((-root, 0.0), (root, 0.0)))
    return _sum(root, rest[0] / (2.0 * root))
