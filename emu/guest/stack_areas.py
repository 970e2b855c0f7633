"""The stacks a walk may be on: that of the task, and those its core has for interrupts.

A walk goes from one to another, as the core did, but never back: where one interrupts the other, a
stack that was left is not entered again, or the walk would never end. So does Linux, by the mask
of stacks it has visited. Source: arch/x86/kernel/dumpstack_64.c, get_stack_info.
"""

Area = tuple[int, int]
"""Lowest byte of a stack, and behind the last."""


class StackAreas:
    """The stacks of one walk.

    areas: all that the kernel says, the task's first; none: it does not say where they are.
    """

    def __init__(self, areas: tuple[Area, ...]) -> None:
        self._areas = areas
        self._left: set[Area] = set()

    @property
    def known(self) -> bool:
        """Whether the kernel says where stacks are."""
        return bool(self._areas)

    @property
    def first(self) -> Area | None:
        """The stack of the task."""
        return self._areas[0] if self._areas else None

    def where(self) -> str:
        """Return what they are called where something is outside all of them."""
        return "the stacks of the task and its core" if len(self._areas) > 1 else "the task's stack"

    def holding(self, address: int, size: int) -> Area | None:
        """Return the stack that holds `size` bytes at an address; None if none does."""
        return next((a for a in self._areas if a[0] <= address <= a[1] - size), None)

    def of_pointer(self, sp: int) -> Area | None:
        """Return the stack that a stack pointer is in; that of an empty one is behind its end."""
        return next((a for a in self._areas if a[0] < sp <= a[1]), None)

    def leave(self, area: Area | None, to: Area | None) -> bool:
        """Note that a walk goes from one stack to another; returns whether it may."""
        if area is not None:
            self._left.add(area)
        return to not in self._left
