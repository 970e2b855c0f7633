"""Doubly linked lists with a head in the circle: `struct list_head` of include/linux/list.h.

A node is any structure with pointers `next` and `prev`; a head is one too, given as itself or as a
pointer to it. The plain walkers follow `next` and trust nothing but that: a list that does not come
back to its head ends with a ValidationError, not never. The `validate_` twins also check that each
node's neighbours point back at it, and that every node can be read, and say which does not.
"""

from collections.abc import Iterator

from emu.errors import BadSymbol, TextpokeError, ValidationError
from emu.image.objects import Object
from emu.image.types import PointerType, Type

__all__ = (
    "MAX_NODES",
    "list_count",
    "list_empty",
    "list_first_entry",
    "list_for_each",
    "list_for_each_entry",
    "list_for_each_entry_reverse",
    "list_for_each_reverse",
    "validate_list",
    "validate_list_count",
    "validate_list_empty",
    "validate_list_for_each",
    "validate_list_for_each_entry",
)

MAX_NODES = 1_000_000
"""Nodes of a list; one with more counts as corrupt."""


def list_empty(head: Object) -> bool:
    """Return whether a list is empty: its head points at itself."""
    head = pointer(head)
    return link(head, "next") == head


def list_count(head: Object) -> int:
    """Return the number of nodes; ValidationError if the list is corrupt."""
    return sum(1 for _ in list_for_each(head))


def list_first_entry(type_: str | Type, head: Object, member: str) -> Object | None:
    """Return a pointer to the first entry, None of an empty list."""
    return next(list_for_each_entry(type_, head, member), None)


def list_for_each(head: Object) -> Iterator[Object]:
    """Yield a pointer to each node but the head; ValidationError where the list is endless."""
    return _walk(pointer(head), "next")


def list_for_each_reverse(head: Object) -> Iterator[Object]:
    """Yield a pointer to each node but the head, from the last to the first."""
    return _walk(pointer(head), "prev")


def list_for_each_entry(type_: str | Type, head: Object, member: str) -> Iterator[Object]:
    """Yield a pointer to each `type_` that is in the list by its `member`.

    `for task in list_for_each_entry("struct task", cpu.queue, "run"): print(task.pid)`
    """
    return (node.container_of_(type_, member) for node in list_for_each(head))


def list_for_each_entry_reverse(type_: str | Type, head: Object, member: str) -> Iterator[Object]:
    """Yield a pointer to each entry, from the last to the first."""
    return (node.container_of_(type_, member) for node in list_for_each_reverse(head))


def validate_list(head: Object) -> None:
    """Raise ValidationError if a list is corrupt."""
    for _ in validate_list_for_each(head):
        pass


def validate_list_empty(head: Object) -> bool:
    """Return whether a list is empty; ValidationError if its head is corrupt."""
    head = pointer(head)
    return _next(head, head) == head


def validate_list_count(head: Object) -> int:
    """Return the number of nodes; ValidationError if any is corrupt."""
    return sum(1 for _ in validate_list_for_each(head))


def validate_list_for_each(head: Object) -> Iterator[Object]:
    """Yield a pointer to each node; ValidationError at the first one whose links do not agree."""
    head = pointer(head)
    node = head
    for _ in range(MAX_NODES):
        node = _next(node, head)
        if node == head:
            return
        yield node
    raise ValidationError(f"the list at {head!r} has over {MAX_NODES} nodes")


def validate_list_for_each_entry(type_: str | Type, head: Object, member: str) -> Iterator[Object]:
    """Yield a pointer to each entry; ValidationError as `validate_list_for_each`."""
    return (node.container_of_(type_, member) for node in validate_list_for_each(head))


def pointer(head: Object) -> Object:
    """Return a pointer to a node that is given as itself, or as a pointer already."""
    return head if isinstance(head.type_, PointerType) else head.address_of_()


def link(node: Object, name: str) -> Object:
    """Return the pointer `name` of a node; ValidationError if it cannot be read."""
    try:
        found = node.member_(name)
        if isinstance(found, Object) and isinstance(found.type_, PointerType):
            return Object.pointer_(found.type_, int(found), found.prog_)  # as it is now
    except BadSymbol as error:
        raise BadSymbol(f"no node of a list: {error}") from None
    except TextpokeError as error:
        raise ValidationError(f"the node {node!r} cannot be read: {error}") from None
    raise BadSymbol(f"no node of a list: its {name} is no pointer")


def _walk(head: Object, direction: str) -> Iterator[Object]:
    node, seen = link(head, direction), set[int]()
    while node != head:
        if not node:
            raise ValidationError(f"the list at {head!r} is corrupt: a {direction} is NULL")
        if int(node) in seen or len(seen) >= MAX_NODES:
            raise ValidationError(
                f"the list at {head!r} is corrupt: it comes back to {node!r}, not to its head"
            )
        seen.add(int(node))
        yield node
        node = link(node, direction)


def _next(node: Object, head: Object) -> Object:
    """Return the next node, which points back at this one, as ValidationError says it does not."""
    following = link(node, "next")
    if not following:
        raise ValidationError(f"the list at {head!r} is corrupt: {node!r}.next is NULL")
    back = link(following, "prev")
    if back != node:
        raise ValidationError(
            f"the list at {head!r} is corrupt: {node!r}.next is {int(following):#x}, "
            f"whose prev is {int(back):#x}"
        )
    return following
