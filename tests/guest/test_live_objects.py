"""Everything in a running kernel can be read as objects, and reading changes nothing."""

from emu.image.c_types import ArrayType, PointerType, StructType
from emu.image.objects import Object, Value
from emu.lab import Lab
from tests.image.probe import read_everything
from tests.labs import loaded

KERNEL = 1 << 63  # the upper half


def test_every_variable_and_member_is_read_without_an_effect() -> None:
    lab = loaded(cores=2)
    lab.run(instructions=50_000)
    before = lab.hash()
    objects = lab.objects
    assert read_everything(lab.image, objects, KERNEL) > 50
    places = sum(
        walk(objects.place(name)) for name in objects.types.variable_names() if has(lab, name)
    )
    assert places > 500
    assert lab.hash() == before


def has(lab: Lab, name: str) -> bool:
    """Return whether a variable is the kernel's: those of user programs are mapped only in them."""
    known = lab.image.types.variables(name)
    return all(variable.address is not None and variable.address >= KERNEL for variable in known)


def walk(found: Object | Value, depth: int = 0) -> int:
    """Read every member of an object and of what it consists of; returns how many there are."""
    if not isinstance(found, Object) or depth > 5:
        return 1
    type_ = found.type_
    if isinstance(type_, StructType):
        return sum(walk(found.member_(name), depth + 1) for name in type_.names())
    if isinstance(type_, ArrayType):
        return sum(walk(found[index], depth + 1) for index in range(min(len(found), 9)))
    if isinstance(type_, PointerType):
        assert isinstance(found.value_(), int)
        assert found.type_.called
    return 1


def test_names_of_the_kernel_lead_from_object_to_object() -> None:
    lab = loaded(cores=2)
    objects = lab.objects
    cpus, tasks = objects["cpus"], objects["tasks"]
    assert isinstance(cpus, Object)
    assert isinstance(tasks, Object)
    for core in range(2):
        current = cpus[core]["current"]  # type: ignore[index] # an Object
        task = lab.guest.current(core)
        assert task
        assert current.comm.string_() == task.comm  # type: ignore[union-attr]
        index = current - (tasks + 0)  # type: ignore[operator]
        assert tasks[index].address_ == int(current)
        assert f'.comm = (char[16])"{task.comm}"' in str(tasks[index])
