"""The machine's own sine and the like: as good as the C library's, and made of exact steps."""

import math
import struct
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.machine import x87_math

angles = st.floats(-1e6, 1e6)
large = st.floats(-(2.0**63), 2.0**63)
units = st.floats(-1, 1)
positive = st.floats(1e-300, 1e300)
coordinates = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)


def close(found: float, expected: float) -> bool:
    """Return whether two results differ by a bit at most: the C library is allowed that one."""
    return abs(found - expected) <= math.ulp(expected)


@settings(deadline=None)
@given(angles | large)
def test_sine_cosine_and_tangent(x: float) -> None:
    sine, cosine = x87_math.sine_and_cosine(x)
    assert close(sine, math.sin(x))
    assert close(cosine, math.cos(x))
    assert close(x87_math.tangent(x), math.tan(x))


@settings(deadline=None)
@given(units)
def test_power_of_two(x: float) -> None:
    if abs(x) > 1e-20:
        with localcontext(prec=60):
            expected = float(Decimal(2) ** Decimal(x) - 1)
        assert close(x87_math.power_of_two_minus_one(x), expected)


@settings(deadline=None)
@given(positive)
def test_logarithm(x: float) -> None:
    assert close(x87_math.logarithm(x, 0.0, 1.0), math.log2(x))


@settings(deadline=None)
@given(st.floats(-0.2, 0.4).filter(lambda x: x == 0 or abs(x) > 1e-290))
def test_logarithm_near_one(x: float) -> None:
    """What FYL2XP1 is for: no digits are lost in 1 + x."""
    assert math.isclose(x87_math.logarithm(1.0, x, math.log(2)), math.log1p(x), rel_tol=1e-15)


@settings(deadline=None)
@given(coordinates, coordinates)
def test_arc_tangent(y: float, x: float) -> None:
    if x or y:
        assert close(x87_math.arc_tangent(y, x), math.atan2(y, x))


@pytest.mark.parametrize(("function", "bits"), [
    (lambda: x87_math.sine_and_cosine(0.5)[0], "3fdeaee8744b05f0"),
    (lambda: x87_math.sine_and_cosine(1e15)[1], "bfe06c154609d33f"),
    (lambda: x87_math.tangent(1.0), "3ff8eb245cbee3a6"),
    (lambda: x87_math.power_of_two_minus_one(0.5), "3fda827999fcef32"),
    (lambda: x87_math.logarithm(10.0, 0.0, 1.0), "400a934f0979a371"),
    (lambda: x87_math.arc_tangent(1.0, 2.0), "3fddac670561bb4f"),
], ids=["sine", "cosine", "tangent", "power", "logarithm", "arc tangent"])  # fmt: skip
def test_the_same_bits_on_every_host(function: Callable[[], float], bits: str) -> None:
    assert struct.pack(">d", function()).hex() == bits
