"""Memory with lists in it, laid out by hand: `struct list` of layout.c, and nodes of hash lists."""

from emu.errors import TextpokeError
from emu.image.c_types import Member, PointerType, StructType, Type
from emu.image.objects import Object, Objects
from emu.image.symbols import Symbol, Symbols
from emu.image.types import Types

BASE, SIZE = 0x10000, 4096


class Memory:
    """A page at BASE; nothing else is mapped."""

    def __init__(self) -> None:
        self.data = bytearray(SIZE)

    def __call__(self, address: int, size: int) -> bytes:
        if not BASE <= address <= address + size <= BASE + SIZE:
            raise TextpokeError(f"{address:#x} is not mapped")
        return bytes(self.data[address - BASE : address - BASE + size])

    def put(self, address: int, *words: int) -> None:
        """Store 64-bit words."""
        for index, word in enumerate(words):
            at = address - BASE + 8 * index
            self.data[at : at + 8] = word.to_bytes(8, "little")


def pointer(find: Type | None = None, name: str = "void *") -> PointerType:
    """Return the type of a pointer."""
    return PointerType(name, 8, lambda: find or pointer())


def objects(types: Types, memory: Memory, *symbols: Symbol) -> Objects:
    """Return objects in this memory."""
    return Objects(Symbols(symbols), types, memory)


def circle(memory: Memory, *nodes: int) -> None:
    """Link nodes with next and prev into a circle; the first is the head."""
    for index, node in enumerate(nodes):
        memory.put(node, nodes[(index + 1) % len(nodes)], nodes[index - 1])


def hash_node() -> StructType:
    """Return `struct hlist_node { struct hlist_node *next, **pprev; }`."""
    made: list[StructType] = []
    link = PointerType("struct hlist_node *", 8, lambda: made[0])
    back = PointerType("struct hlist_node **", 8, lambda: link)
    made.append(
        StructType(
            "struct hlist_node", 16, (Member("next", 0, 8, link), Member("pprev", 8, 8, back))
        )
    )
    return made[0]


def hash_head(node: StructType) -> StructType:
    """Return `struct hlist_head { struct hlist_node *first; }`."""
    link = PointerType("struct hlist_node *", 8, lambda: node)
    return StructType("struct hlist_head", 8, (Member("first", 0, 8, link),))


def numbers(found: object) -> list[int]:
    """Return pointers as numbers."""
    return [int(each) for each in found if isinstance(each, Object)]  # type: ignore[attr-defined]
