import json
import struct

import pytest

from emu.errors import BadSymbol, TextpokeError, Unsupported
from emu.image.elf import ElfImage
from emu.image.objects import Number, Object, Objects
from emu.image.symbols import Symbol, Symbols

BASE = 0x10000


class Memory:
    """A page of memory at BASE that counts the bytes read."""

    def __init__(self) -> None:
        self.data = bytearray(4096)
        self.reads: list[tuple[int, int]] = []

    def __call__(self, address: int, size: int) -> bytes:
        self.reads.append((address, size))
        if not BASE <= address <= address + size <= BASE + len(self.data):
            raise TextpokeError(f"{address:#x} is not mapped")
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
        Symbol("nameless", BASE + 0xF00, 8, "object"),
        Symbol("run", 0x5000, 16, "func"),
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
    with pytest.raises(BadSymbol, match="no variable 'thigs': did you mean things"):
        objects.variable("thigs", "layout.c")
    with pytest.raises(BadSymbol, match=r"nothing says the type of 'nameless' \(object at 0x"):
        _ = objects["nameless"]


def test_names_are_there_and_listed(objects: Objects) -> None:
    names = list(objects)
    assert {"things", "greeting"} <= set(names)
    assert all(name in objects for name in names)
    assert "absent" not in objects
    assert "nameless" not in objects


def test_what_has_no_characters_is_no_string(objects: Objects) -> None:
    for found in (objects["things"], objects["greeting"].address_of_()):
        assert isinstance(found, Object)
        with pytest.raises(TypeError, match="is not a string"):
            found.string_()


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


def test_a_number_knows_its_type_and_place(objects: Objects, memory: Memory) -> None:
    memory.put(136 + 16, 7, 4)
    refs = things(objects, 1).refs
    assert isinstance(refs, Number)
    assert (refs + 1, f"{refs}", json.dumps(refs)) == (8, "7", "7")
    assert (repr(refs), refs.format_()) == ("7", "(odd_u32)7")
    assert refs.address_of_() == refs.address_ == BASE + 152
    assert refs.address_of_().type_.name == "unsigned int *"
    assert refs.container_of_("struct thing", "refs") == things(objects, 1)
    memory.put(136 + 16, 8, 4)
    assert refs == 7  # it was read when it was asked for


def test_enumerations_have_names(objects: Objects, memory: Memory) -> None:
    memory.put(20, 7, 4)
    memory.put(124, -1, 4)
    colour, mood = things(objects).colour, things(objects).mood
    assert isinstance(colour, Number)
    assert (colour, colour.name_(), repr(colour)) == (7, "BLUE", "(enum colour)BLUE")
    assert repr(mood) == "(enum mood)SAD"
    memory.put(20, 3, 4)
    assert repr(things(objects).colour) == "3"


def test_values_of_enumerations_are_found_by_name(objects: Objects) -> None:
    assert repr(objects["SAD"]) == "(enum mood)SAD"
    assert (objects["SAD"], objects["BLUE"]) == (-1, 7)
    assert "SAD" in objects
    assert "GREY" not in objects
    with pytest.raises(BadSymbol, match="no symbol 'GREY'"):
        _ = objects["GREY"]


def test_floats_are_read(objects: Objects, memory: Memory) -> None:
    memory.data[128:136] = struct.pack("<d", -1.5)
    real = things(objects).real
    assert isinstance(real, Object)
    assert real == -1.5
    assert (float(real), real.value_(), str(real)) == (-1.5, -1.5, "(double)-1.5")
    assert int(real.cast_("int")) == -1


def test_pointers_are_computed_with(objects: Objects, memory: Memory) -> None:
    memory.put(0x210, BASE + 136, 8)
    first, second = things(objects).address_of_(), things(objects, 1).address_of_()
    assert first + 1 == second
    assert 1 + first == second
    assert second - 1 == first
    assert (second - first, first - second) == (1, -1)
    assert BASE <= first < second <= BASE + 136
    assert BASE + 136 >= second > first >= BASE
    assert first[1] == things(objects, 1)
    assert {first: 1}[BASE] == 1  # type: ignore[index] # equal, so of one hash
    array = objects["things"]
    assert isinstance(array, Object)
    assert array + 1 == second
    void = first.cast_("void *")
    assert isinstance(void, Object)
    assert void + 136 == second
    with pytest.raises(TypeError, match="cannot be subtracted"):
        _ = first - objects["head"].address_of_()
    with pytest.raises(TypeError, match="size of struct undefined is not known"):
        _ = things(objects).hidden + 1


def test_a_computed_pointer_has_no_address(objects: Objects) -> None:
    pointer = things(objects).address_of_()
    assert repr(pointer) == "<struct thing * 0x10000>"
    assert str(pointer) == "(struct thing *)things+0x0 = 0x10000"
    with pytest.raises(TextpokeError, match="has no address"):
        pointer.address_of_()
    low = things(objects).low
    assert isinstance(low, Number)
    with pytest.raises(TextpokeError, match="bitfield"):
        low.address_of_()


def test_slices_are_arrays_with_bounds(objects: Objects) -> None:
    pairs = things(objects).pairs
    assert isinstance(pairs, Object)
    part = pairs[1:3]
    assert (part.type_.name, part.address_, len(part)) == ("struct pair[2][2]", BASE + 70, 2)
    assert len(pairs[1:]) == 2
    for bad in (slice(2, 4), slice(-1, 2), slice(2, 1)):
        with pytest.raises(IndexError):
            _ = pairs[bad]
    with pytest.raises(TypeError, match="goes by one"):
        _ = pairs[0:2:2]
    behind = things(objects).address_of_()[0:2]
    assert behind == objects["things"]
    with pytest.raises(TypeError, match="needs an end"):
        _ = things(objects).address_of_()[0:]


@pytest.mark.parametrize(
    ("type_", "value", "cast"),
    [
        ("unsigned char", 0x1FF, 0xFF),
        ("int", 0xFFFFFFFF, -1),
        ("long", -1, -1),
        ("unsigned long", -1, (1 << 64) - 1),
        ("_Bool", 256, 1),
        ("enum colour", 7, 7),
        ("struct thing *", -1, (1 << 64) - 1),
    ],
)
def test_casts_are_those_of_c(objects: Objects, type_: str, value: int, cast: int) -> None:
    assert int(objects.cast(type_, value)) == cast
    with pytest.raises(TypeError, match="cannot become struct thing"):
        objects.cast("struct thing", value)


def test_bytes_as_another_type(objects: Objects, memory: Memory) -> None:
    memory.put(0x200, -2, 4)
    counter = objects["counter"]
    assert isinstance(counter, Number)
    assert counter.reinterpret_("unsigned int") == 0xFFFFFFFE
    assert things(objects).reinterpret_("struct list") == objects.at("struct list", BASE)
    node = things(objects).list
    assert isinstance(node, Object)
    assert node.container_of_("struct thing", "list") == things(objects)
    around = node.address_of_().container_of_("struct thing", "list")
    assert around == BASE
    assert around.type_.name == "struct thing *"


def test_values_are_pythons(objects: Objects, memory: Memory) -> None:
    memory.data[0:3] = b"idl"
    memory.put(62, -1, 2)
    memory.put(120, 1, 1)
    value = things(objects).value_()
    assert isinstance(value, dict)
    assert value["name"] == "idl"
    assert value["flag"] is True
    assert value["pairs"][0] == [{"a": -1, "b": 0}, {"a": 0, "b": 0}]
    assert (value["list"], value["bytes"], value["tail"]) == ({"next": 0, "prev": 0}, [0] * 8, [])
    assert objects["counter"].value_() == 0
    assert things(objects)["name"].value_() == "idl"


def test_an_object_prints_as_an_initialiser(objects: Objects, memory: Memory) -> None:
    memory.data[0:4] = b'a"\n\0'
    memory.put(20, 2, 4)
    memory.put(24, BASE + 0x210, 8)
    memory.put(57, 5, 5)
    memory.put(62, 1, 2)
    memory.put(88, 0x5000, 8)
    memory.put(112, BASE + 0x300, 8)
    memory.data[0x300:0x306] = b"hello\0"
    assert str(things(objects)) == FORMATTED
    memory.put(112, 0x7000, 8)  # where nothing is mapped
    assert ".text = (const char *)0x7000,\n" in str(things(objects))


FORMATTED = """(struct thing){
	.name = (char[16])"a\\"\\n",
	.refs = (odd_u32)0,
	.colour = (enum colour)GREEN,
	.list = (struct list){
		.next = (struct list *)head+0x0 = 0x10210,
		.prev = (struct list *)0x0,
	},
	.x = (int)0,
	.y = (long int)0,
	.bytes = (unsigned char[8]){},
	.low = (unsigned int)0,
	.middle = (int)0,
	.wide = (long unsigned int)5,
	.pairs = (struct pair[3][2]){
		{
			{
				.a = (short int)1,
				.b = (short int)0,
			},
		},
	},
	.call = (void (*)(int))run+0x0 = 0x5000,
	.opaque = (void *)0x0,
	.hidden = (struct undefined *)0x0,
	.text = (const char *)0x10300 = "hello",
	.flag = (_Bool)0,
	.mood = (enum mood)FINE,
	.real = (double)0.0,
	.tail = (u32[]){},
}"""


def test_what_is_printed_is_bounded(objects: Objects, memory: Memory) -> None:
    memory.data[:] = b"\1" * 4096
    printed = objects.at("unsigned char[4096]", BASE).format_()
    assert "..." in printed
    assert 3900 < printed.count(" 1,") < 4096
    with pytest.raises(TextpokeError, match="read its parts"):
        objects.at("unsigned char[1048577]", BASE).value_()
