"""Per-CPU variables: include/linux/percpu-defs.h, and arrays with an element for each core.

A kernel keeps one copy for each core either in an array (`struct cpu cpus[8]`) or, as Linux does,
in copies of a section: the variable's own address is in the first, which nobody uses, and
`__per_cpu_offset[core]` leads to a core's. Source: Linux arch/x86/kernel/setup_percpu.c.
"""

from emu.errors import BadSymbol, TextpokeError
from emu.image.objects import Number, Object, Objects, Value
from emu.image.types import ArrayType, PointerType

__all__ = ("per_cpu", "per_cpu_offset", "per_cpu_ptr")

_OFFSETS = "__per_cpu_offset"
_START, _END = "__per_cpu_start", "__per_cpu_end"


def per_cpu(found: Value, core: int) -> Value:
    """Return a core's copy of a per-CPU variable: of an array, its element.

    Args:
        found: the variable, as `objects.place("cpus")` gives it.
        core: from 0.

    Raises:
        TextpokeError: it is no per-CPU variable.
        IndexError: there is no such core.
    """
    prog, address = found.prog_, found.address_
    if _in_section(prog, address):
        return prog.at(found.type_, address + per_cpu_offset(prog, core)).resolve_()
    if isinstance(found, Object) and isinstance(found.type_, ArrayType):
        return found[core]
    called = found.type_.called
    raise TextpokeError(f"the {called} at {address:#x} is neither an array nor a per-CPU variable")


def per_cpu_ptr(pointer: Object, core: int) -> Object:
    """Return a pointer to a core's copy of what a per-CPU pointer (`__percpu`) points to.

    Raises:
        TypeError: it is no pointer.
        BadSymbol: the kernel has no __per_cpu_offset.
        IndexError: there is no such core.
    """
    if not isinstance(pointer.type_, PointerType):
        raise TypeError(f"{pointer.type_.name} is not a pointer")
    offset = per_cpu_offset(pointer.prog_, core)
    return Object.pointer_(pointer.type_, int(pointer) + offset, pointer.prog_)


def per_cpu_offset(prog: Objects, core: int) -> int:
    """Return what to add to an address for a core's copy; errors as of `per_cpu_ptr`."""
    offsets = prog[_OFFSETS]
    if isinstance(offsets, Number):
        raise BadSymbol(f"{_OFFSETS} is not an array")
    return int(offsets[core])


def _in_section(prog: Objects, address: int) -> bool:
    """Return whether an address is in the section of which each core has a copy."""
    start, end = prog.symbols.get(_START), prog.symbols.get(_END)
    if _OFFSETS not in prog.symbols or start is None or end is None:
        return False
    return start.address <= address < end.address
