"""The x87's transcendental instructions: values, stack, status word; the same on every host."""

import math
import struct

import pytest

from tests.machine.guest_builder import build, finish, log
from tests.machine.guest_tables import DATA

ARGUMENTS, RESULTS, STATUS = DATA, DATA + 0x100, DATA + 0x200


def x87(instruction: str, *arguments: float, results: int = 1) -> tuple[list[float], int]:
    """Return what lies on the stack after an instruction, ST0 first, and the status word.

    arguments: pushed in order, so the last one is ST0.
    """
    loads = "".join(f"fld qword ptr [{ARGUMENTS + 8 * at}]; " for at in range(len(arguments)))
    stores = "".join(f"fstp qword ptr [{RESULTS + 8 * at}]; " for at in range(results))
    data = {DATA: struct.pack(f"<{len(arguments)}d", *arguments)}
    code = f"fninit; {loads} {instruction}; fnstsw word ptr [{STATUS}]; {stores} fnstsw ax; hlt"
    machine = build(code, data=data).machine()
    finish(machine)
    assert not log(machine)
    assert machine.general_registers(0)[0] >> 11 & 7 == 0  # the stack is as it was
    values = struct.unpack(f"<{results}d", machine.read(RESULTS, 8 * results))
    return list(values), int.from_bytes(machine.read(STATUS, 2), "little")


@pytest.mark.parametrize(("instruction", "arguments", "results"), [
    ("fsin", (0.7,), [math.sin(0.7)]), ("fcos", (0.7,), [math.cos(0.7)]),
    ("fsin", (-0.0,), [-0.0]), ("fcos", (0.0,), [1.0]),
    ("fsincos", (2.5,), [math.cos(2.5), math.sin(2.5)]),
    ("fptan", (0.7,), [1.0, math.tan(0.7)]),
    ("fpatan", (1.0, 2.0), [math.atan2(1.0, 2.0)]), ("fpatan", (-1.0, -2.0), [math.atan2(-1, -2)]),
    ("fpatan", (0.0, -1.0), [math.pi]), ("fpatan", (-0.0, -1.0), [-math.pi]),
    ("fpatan", (0.0, 1.0), [0.0]), ("fpatan", (1.0, 0.0), [math.pi / 2]),
    ("fpatan", (-1.0, -0.0), [-math.pi / 2]), ("fpatan", (0.0, -0.0), [math.pi]),
    ("fpatan", (math.inf, -math.inf), [3 * math.pi / 4]), ("fpatan", (1.0, math.inf), [0.0]),
    ("fpatan", (-3.0, -math.inf), [-math.pi]), ("fpatan", (math.inf, 5.0), [math.pi / 2]),
    ("f2xm1", (0.5,), [math.sqrt(2) - 1]), ("f2xm1", (-1.0,), [-0.5]), ("f2xm1", (-0.0,), [-0.0]),
    ("fyl2x", (3.0, 8.0), [9.0]), ("fyl2x", (2.0, 10.0), [2 * math.log2(10)]),
    ("fyl2x", (3.0, math.inf), [math.inf]), ("fyl2x", (math.inf, 8.0), [math.inf]),
    ("fyl2xp1", (1.0, 2.0**-40), [math.log1p(2.0**-40) / math.log(2)]),
], ids=str)  # fmt: skip
def test_values(instruction: str, arguments: tuple[float, ...], results: list[float]) -> None:
    found, status = x87(instruction, *arguments, results=len(results))
    for one, other in zip(found, results, strict=True):
        assert math.isclose(one, other, rel_tol=1e-15)
        assert math.copysign(1, one) == math.copysign(1, other)
    assert status & 0x400 == 0


@pytest.mark.parametrize("instruction", ["fsin", "fcos", "fsincos", "fptan"])
def test_an_angle_too_large_is_left_alone(instruction: str) -> None:
    assert x87(instruction, 2.0**63) == ([2.0**63], 7 << 11 | 0x400)


def test_no_logarithm_of_what_has_none() -> None:
    assert x87("fyl2x", 3.0, -1.0, results=2) == ([-1.0, 3.0], 6 << 11 | 0x400)


@pytest.mark.parametrize("instruction", ["fsin", "fpatan", "fyl2x"])
def test_not_a_number_stays_one(instruction: str) -> None:
    arguments = (1.0, math.nan)
    results = 2 if instruction != "fpatan" else 1
    found, _ = x87(instruction, *arguments, results=results)
    assert math.isnan(found[0])


def test_without_an_fpu_they_are_not_available() -> None:
    code = "fninit; fldpi; mov rax, cr0; or eax, 8; mov cr0, rax; fsin; hlt"
    machine = build(code).machine()
    finish(machine)
    assert [trap.vector for trap in log(machine)] == [7]


def test_all_64_bits_of_the_mantissa() -> None:
    """A result is a double, and stored as one whole: what is beyond its 53 bits is 0."""
    code = f"fninit; fld1; fsin; fstp tbyte ptr [{RESULTS}]; hlt"
    machine = build(code).machine()
    finish(machine)
    mantissa, exponent = struct.unpack("<QH", machine.read(RESULTS, 10))
    assert math.ldexp(mantissa, exponent - 16383 - 63) == math.sin(1.0)
    assert mantissa & 0x7FF == 0
