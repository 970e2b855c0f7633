"""Hash lists: `struct hlist_head` and `struct hlist_node` of include/linux/list.h.

The head has one pointer, `first`; a node has `next`, and `pprev`, which is the address of whatever
pointer leads to the node. The last `next` is NULL. The `validate_` twins check `pprev`.
"""

from collections.abc import Iterator

from emu.errors import ValidationError
from emu.helpers.chain import chain_for_each
from emu.helpers.list import link, pointer
from emu.image.objects import Object
from emu.image.types import Type

__all__ = (
    "hlist_empty",
    "hlist_for_each",
    "hlist_for_each_entry",
    "validate_hlist_for_each",
    "validate_hlist_for_each_entry",
)


def hlist_empty(head: Object) -> bool:
    """Return whether a hash list has no node."""
    return not link(pointer(head), "first")


def hlist_for_each(head: Object) -> Iterator[Object]:
    """Yield a pointer to each node; ValidationError where the list is endless."""
    return chain_for_each(link(pointer(head), "first"))


def hlist_for_each_entry(type_: str | Type, head: Object, member: str) -> Iterator[Object]:
    """Yield a pointer to each `type_` that is in the list by its `member`."""
    return (node.container_of_(type_, member) for node in hlist_for_each(head))


def validate_hlist_for_each(head: Object) -> Iterator[Object]:
    """Yield a pointer to each node; ValidationError at one whose pprev does not lead back."""
    head = pointer(head)
    place = head.address_of_("first")
    for node in hlist_for_each(head):
        back = link(node, "pprev")
        if int(back) != place:
            raise ValidationError(
                f"the list at {head!r} is corrupt: {node!r}.pprev is {int(back):#x}, "
                f"but the pointer to it is at {place:#x}"
            )
        yield node
        place = node.address_of_("next")


def validate_hlist_for_each_entry(type_: str | Type, head: Object, member: str) -> Iterator[Object]:
    """Yield a pointer to each entry; ValidationError as `validate_hlist_for_each`."""
    return (node.container_of_(type_, member) for node in validate_hlist_for_each(head))
