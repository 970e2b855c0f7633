"""Live patches: which there are, what they replace, and how far a transition is.

Sources: include/linux/livepatch.h; kernel/livepatch/core.c and transition.c. Lists are walked as
they are: what cannot be read ends them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from emu.errors import TextpokeError
from emu.helpers.list import list_for_each_entry
from emu.image.c_string import string_at
from emu.image.object import Object
from emu.image.objects import Objects

MAX_ENTRIES: Final = 1 << 14
"""Of all lists together: patches, objects, functions."""

IDLE: Final = -1
"""The target state while there is no transition: KLP_UNDEFINED, KLP_TRANSITION_IDLE since 6.12."""


@dataclass(frozen=True, slots=True)
class PatchedFunction:
    """One function that a live patch replaces (struct klp_func).

    Attributes:
        name: of the function.
        old, new: where it begins, and what is executed in its place; old is 0 until it is known.
        patched: calls lead to the new one, of tasks that have gone over.
        transition: some tasks have not.
    """

    name: str
    old: int
    new: int
    patched: bool
    transition: bool


@dataclass(frozen=True, slots=True)
class PatchedObject:
    """What a live patch does to the kernel or a module (struct klp_object).

    name: of the module, "vmlinux" for the kernel. patched: it is loaded, and patched.
    """

    name: str
    patched: bool
    functions: tuple[PatchedFunction, ...]


@dataclass(frozen=True, slots=True)
class LivePatch:
    """A live patch (struct klp_patch).

    module: that has it. enabled: it is on, or being switched on. address: of its descriptor.
    """

    module: str
    enabled: bool
    replace: bool
    objects: tuple[PatchedObject, ...]
    address: int


@dataclass(frozen=True, slots=True)
class Transition:
    """A patch that some tasks have gone over to, and others not.

    patch: address of its descriptor. target: 1 where tasks go to the patched functions, 0 where
    they leave them.
    """

    patch: int
    target: int


_Entry = TypeVar("_Entry")


class Livepatches:
    """The live patches of a kernel. objects: of it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._left = 0

    def patches(self) -> tuple[LivePatch, ...]:
        """Return the patches that are registered, the oldest first."""
        self._left = MAX_ENTRIES
        return self._list("klp_patches", "struct klp_patch", "list", self._patch)

    def transition(self) -> Transition | None:
        """Return the transition that is under way, None if there is none."""
        try:
            patch = int(self._objects.place("klp_transition_patch"))
            target = int(self._objects.place("klp_target_state"))
        except TextpokeError:
            return None
        return Transition(patch, target) if patch and target != IDLE else None

    def _patch(self, entry: Object) -> LivePatch:
        found = self._list(entry.member_("obj_list"), "struct klp_object", "node", self._object)
        module = entry.member_("mod")
        name = module.member_("name").string_() if module else ""  # type: ignore[union-attr] # Objects
        enabled, replace = int(entry.member_("enabled")), int(entry.member_("replace"))
        return LivePatch(name, bool(enabled), bool(replace), found, int(entry))

    def _object(self, entry: Object) -> PatchedObject:
        found = self._list(entry.member_("func_list"), "struct klp_func", "node", self._function)
        name = int(entry.member_("name"))
        called = string_at(self._objects.read, name) if name else "vmlinux"
        return PatchedObject(called, bool(entry.member_("patched")), found)

    def _function(self, entry: Object) -> PatchedFunction:
        return PatchedFunction(
            name=string_at(self._objects.read, int(entry.member_("old_name"))),
            old=int(entry.member_("old_func")),
            new=int(entry.member_("new_func")),
            patched=bool(entry.member_("patched")),
            transition=bool(entry.member_("transition")),
        )

    def _list(
        self, head: object, kind: str, member: str, made: Callable[[Object], _Entry]
    ) -> tuple[_Entry, ...]:
        """Return what is made of each entry of a list, as far as it can be read."""
        found: list[_Entry] = []
        try:
            place = self._objects.place(head) if isinstance(head, str) else head
            assert isinstance(place, Object)
            for entry in list_for_each_entry(kind, place, member):
                self._left -= 1
                if self._left < 0:
                    break
                found.append(made(entry))
        except TextpokeError:
            pass  # the list cannot be read any further
        return tuple(found)
