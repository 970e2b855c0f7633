"""Singly linked chains, from a first pointer to NULL: include/linux/llist.h, and any `p = p->next`.

The plain walker follows the member and ends with a ValidationError where it would never end. A
chain has nothing to check a link by; its `validate_` twin reads each node before it yields it.
"""

from collections.abc import Iterator

from emu.errors import TextpokeError, ValidationError
from emu.helpers.list import MAX_NODES, link
from emu.image.objects import Object
from emu.image.types import Type

__all__ = (
    "chain_for_each",
    "llist_for_each",
    "llist_for_each_entry",
    "validate_chain_for_each",
)


def chain_for_each(first: Object, member: str = "next") -> Iterator[Object]:
    """Yield each pointer from `first` on, until NULL.

    Args:
        first: a pointer to the first node, or NULL.
        member: the pointer to the next node; a path if it is inside another ("node.next").

    Raises:
        ValidationError: the chain runs into itself, or a node cannot be read.
        BadSymbol: a node has no such member.
    """
    node, seen = first, set[int]()
    while node:
        if int(node) in seen or len(seen) >= MAX_NODES:
            raise ValidationError(
                f"the chain from {int(first):#x} is corrupt: it comes back to {node!r}"
            )
        seen.add(int(node))
        yield node
        node = link(node, member)


def validate_chain_for_each(first: Object, member: str = "next") -> Iterator[Object]:
    """Yield each pointer; ValidationError before one that cannot be read."""
    for node in chain_for_each(first, member):
        try:
            node.deref_().bytes_()
        except TextpokeError as error:
            raise ValidationError(f"the node {node!r} cannot be read: {error}") from None
        yield node


def llist_for_each(head: Object) -> Iterator[Object]:
    """Yield a pointer to each node of a `struct llist_head`, which has `first`."""
    return chain_for_each(link(head, "first"))


def llist_for_each_entry(type_: str | Type, head: Object, member: str) -> Iterator[Object]:
    """Yield a pointer to each `type_` that is in the list by its `member`."""
    return (node.container_of_(type_, member) for node in llist_for_each(head))
