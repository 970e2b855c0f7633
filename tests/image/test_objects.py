import pytest

from emu.errors import BadSymbol, TextpokeError, Unsupported
from emu.image.elf import ElfImage
from emu.image.objects import Object, Objects
from emu.image.symbols import Symbol, Symbols

BASE = 0x10000


class Memory:
    """A page of memory at BASE that counts the bytes read."""

    def __init__(self) -> None:
        self.data = bytearray(4096)
        self.reads: list[tuple[int, int]] = []

    def __call__(self, address: int, size: int) -> bytes:
        self.reads.append((address, size))
        assert BASE <= address <= address + size <= BASE + len(self.data)
        return bytes(self.data[address - BASE : address - BASE + size])

    def put(self, offset: int, value: int, size: int) -> None:
        mask = (1 << 8 * size) - 1
        self.data[offset : offset + size] = (value & mask).to_bytes(size, "little")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def objects(layout: ElfImage, memory: Memory) -> Objects:
    symbols = [
        Symbol("things", BASE, 272, "object"),
        Symbol("counter", BASE + 0x200, 4, "object"),
        Symbol("head", BASE + 0x210, 16, "object"),
        Symbol("greeting", BASE + 0x220, 8, "object"),
        Symbol("nameless", BASE, 8, "object"),
    ]
    return Objects(Symbols(symbols), layout.types, memory)


def things(objects: Objects, index: int = 0) -> Object:
    found = objects["things"]
    assert isinstance(found, Object)
    element = found[index]
    assert isinstance(element, Object)
    return element


def test_integers_are_read_with_their_sign(objects: Objects, memory: Memory) -> None:
    memory.put(0x200, -5, 4)
    memory.put(16, 0xFFFFFFFE, 4)
    memory.put(136 + 40, -7, 4)
    assert objects["counter"] == -5
    assert things(objects).refs == 0xFFFFFFFE
    assert things(objects, 1).x == -7


def test_only_the_bytes_asked_for_are_read(objects: Objects, memory: Memory) -> None:
    thing = things(objects, 1)
    assert memory.reads == []
    assert thing.refs == 0
    assert memory.reads == [(BASE + 136 + 16, 4)]


def test_nothing_is_remembered(objects: Objects, memory: Memory) -> None:
    thing = things(objects)
    assert thing.refs == 0
    memory.put(16, 9, 4)
    assert thing.refs == 9


def test_addresses_of_members(objects: Objects) -> None:
    assert things(objects, 1).address_of_("refs") == BASE + 136 + 16
    assert things(objects).address_of_("pairs[1][1].b") == BASE + 62 + 8 + 4 + 2
    assert objects.address("head") == BASE + 0x210


def test_arrays_have_bounds(objects: Objects) -> None:
    found = objects["things"]
    assert isinstance(found, Object)
    assert len(found) == len(list(found)) == 2
    for index in (2, -1):
        with pytest.raises(IndexError):
            _ = found[index]


def test_bitfields_are_cut_out(objects: Objects, memory: Memory) -> None:
    memory.put(56, 0b10110_101, 1)
    memory.put(57, 0x123456789A, 5)
    assert things(objects).low == 0b101
    assert things(objects).middle == 0b10110 - 32  # signed
    assert things(objects).wide == 0x123456789A


def test_strings_end_at_their_nul(objects: Objects, memory: Memory) -> None:
    memory.data[0:8] = b"swapper\0"
    memory.data[8:16] = b"garbage!"
    name = things(objects).name
    assert isinstance(name, Object)
    assert name.string_() == "swapper"
    memory.data[0:16] = b"sixteen chars\x1b\xff!"
    assert name.string_() == "sixteen chars\x1b\\xff!"


def test_a_string_behind_a_pointer(objects: Objects, memory: Memory) -> None:
    memory.put(0x220, BASE + 4080, 8)
    memory.data[4080:4096] = b"ends with page.\0"
    greeting = objects["greeting"]
    assert isinstance(greeting, Object)
    assert greeting.string_() == "ends with page."


def test_pointers_are_numbers_and_lead_on(objects: Objects, memory: Memory) -> None:
    memory.put(0x210, BASE + 24, 8)  # head.next = &things[0].list
    memory.put(24, BASE + 0x210, 8)  # things[0].list.next = &head
    head = objects["head"]
    assert isinstance(head, Object)
    following = head.next
    assert isinstance(following, Object)
    assert following == BASE + 24
    assert int(following) == BASE + 24
    assert following
    assert not head.prev
    assert following.deref_() == objects.at("struct list", BASE + 24)
    assert following.next == BASE + 0x210  # through the pointer, as -> does
    assert following.address_of_("prev") == BASE + 32
    assert following[1] == objects.at("struct list", BASE + 40)


def test_an_object_of_any_type_at_any_address(objects: Objects, memory: Memory) -> None:
    memory.put(0x300 + 16, 77, 4)
    thing = objects.at("struct thing", BASE + 0x300)
    assert thing.refs == 77
    assert repr(thing) == "<struct thing at 0x10300>"
    assert thing != objects.at("struct thing", BASE)
    assert {"refs", "y", "address_of_"} <= set(dir(thing))


def test_unknown_members_are_attribute_errors(objects: Objects) -> None:
    with pytest.raises(AttributeError, match="did you mean refs"):
        _ = things(objects).refz
    assert not hasattr(things(objects), "refz")
    with pytest.raises(AttributeError):
        setattr(things(objects), "refs", 1)  # noqa: B010 -- mypy refuses the plain form


def test_unknown_variables_are_bad_symbols(objects: Objects) -> None:
    with pytest.raises(BadSymbol, match="no symbol"):
        _ = objects["absent"]
    with pytest.raises(BadSymbol, match="no variable"):
        _ = objects["nameless"]


def test_a_store_is_only_described(objects: Objects, memory: Memory) -> None:
    thing = things(objects, 1)
    assert thing.store_("refs", 1) == (BASE + 152, b"\x01\0\0\0")
    assert thing.store_("x", -2) == (BASE + 176, b"\xfe\xff\xff\xff")
    assert thing.store_("list.next", BASE) == (BASE + 160, BASE.to_bytes(8, "little"))
    assert not any(memory.data)


@pytest.mark.parametrize(("path", "value"), [("refs", 1 << 32), ("refs", -1), ("x", 1 << 31)])
def test_a_value_that_does_not_fit_is_refused(objects: Objects, path: str, value: int) -> None:
    with pytest.raises(TextpokeError, match="does not fit"):
        things(objects).store_(path, value)


@pytest.mark.parametrize("path", ["low", "list", "name", "real"])
def test_what_is_no_whole_number_cannot_be_stored(objects: Objects, path: str) -> None:
    with pytest.raises(Unsupported):
        things(objects).store_(path, 1)


def test_reads_are_bounded(objects: Objects, layout: ElfImage) -> None:
    big = layout.types.struct("thing").member("tail").type
    flexible = objects.at(big, BASE)
    assert flexible[3] == 0
    with pytest.raises(TypeError):
        int(things(objects))
    with pytest.raises(TypeError):
        things(objects).deref_()
