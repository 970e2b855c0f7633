"""BTF: the same types, variables and objects that DWARF gives."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import BadImage, BadSymbol
from emu.image import btf_section as btf
from emu.image.btf import BtfReader
from emu.image.c_types import ArrayType, EnumType, FloatType, IntType, PointerType, StructType
from emu.image.elf import ElfImage
from emu.image.objects import Number, Object, Objects
from emu.image.symbols import Symbol, Symbols
from emu.image.types import Types
from tests.image.btf_builder import BtfBuilder
from tests.image.elf_builder import Builder

HERE = Path(__file__).parent
SIGNED, CHAR, BOOL = 1, 2, 4


def read(builder: BtfBuilder) -> Types:
    return Types(BtfReader("vmlinux", builder.build()))


def test_the_same_program_has_the_same_types_in_btf_and_in_dwarf(layout: ElfImage) -> None:
    """layout.btf is what pahole 1.24 -J --btf_gen_floats makes of layout5.elf."""
    types = Types(BtfReader("layout.btf", (HERE / "layout.btf").read_bytes()))
    assert types.names() == layout.types.names()
    assert types.function_names() == layout.types.function_names() == ("start",)
    assert types.function("start") == layout.types.function("start")
    for name in types.names():
        found, other = types[name], layout.types[name]
        if name == "struct thing":  # pahole makes one dimension of two
            assert str(found) == str(other).replace("pairs[3][2]; ", "pairs[6];    ")
            assert isinstance(found, StructType)
            assert isinstance(other, StructType)
            rest = [each for each in found.members if each.name != "pairs"]
            assert rest == [each for each in other.members if each.name != "pairs"]
        else:
            assert found == other
            assert str(found) == str(other)


def test_integers_and_floats() -> None:
    made = BtfBuilder()
    made.integer("int", 4, SIGNED)
    made.integer("long unsigned int", 8)
    made.integer("char", 1, SIGNED)
    made.integer("unsigned char", 1)
    made.integer("char16_t", 2, CHAR)
    made.integer("_Bool", 1, BOOL)
    made.record(btf.KIND_FLOAT, "double", 8)
    made.record(btf.KIND_FLOAT, "long double", 16)
    made.record(btf.KIND_FLOAT, "complex float", 8)
    made.record(btf.KIND_FLOAT, "_Decimal64", 8)
    types = read(made)
    assert types["int"] == IntType("int", 4, signed=True)
    assert types["unsigned long"] == IntType("long unsigned int", 8, signed=False)
    assert types["char"] == IntType("char", 1, signed=True, is_char=True)
    assert types["unsigned char"] == IntType("unsigned char", 1, signed=False, is_char=True)
    assert types["char16_t"] == IntType("char16_t", 2, signed=False, is_char=True)
    flag = types["_Bool"]
    assert isinstance(flag, IntType)
    assert flag.is_bool
    assert types["double"] == FloatType("double", 8)
    assert types["long double"] == FloatType("long double", 16, "x87")
    assert types["complex float"] == FloatType("complex float", 8, "ieee", 2)
    assert types["_Decimal64"] == FloatType("_Decimal64", 8, "decimal")


def test_what_is_built_of_others() -> None:
    made = BtfBuilder()
    whole = made.integer("int", 4, SIGNED)
    word = made.record(btf.KIND_TYPEDEF, "word", whole)
    const = made.record(btf.KIND_CONST, "", word)
    volatile = made.record(btf.KIND_VOLATILE, "", const)
    tagged = made.record(btf.KIND_TYPE_TAG, "user", volatile)
    pointer = made.pointer(tagged)
    kept = made.record(btf.KIND_RESTRICT, "", pointer)
    inner = made.array(whole, 3)
    table = made.array(inner, 2)
    tail = made.array(word, 0)
    hidden = made.record(btf.KIND_FWD, "hidden", 0)
    choice = made.record(btf.KIND_FWD, "choice", 0, flag=True)
    call = made.function("", 0, [("", whole), ("", pointer), ("", 0)])
    members = [
        ("p", kept, 0), ("table", table, 64), ("h", made.pointer(hidden), 256),
        ("c", made.pointer(choice), 320), ("call", made.pointer(call), 384),
        ("v", made.pointer(0), 448), ("tail", tail, 512),
    ]  # fmt: skip
    made.struct("s", 64, members)
    text = str(read(made)["struct s"]).replace("\t", "").splitlines()
    assert [line.split(";")[0] for line in text[1:-2]] == [
        "const volatile word *restrict p".replace("const volatile", "volatile const"),
        "int table[2][3]",
        "struct hidden *h",
        "union choice *c",
        "void (*call)(int, volatile const word *, ...)",
        "void *v",
        "word tail[]",
    ]
    types = read(made)
    assert types["word"] == types["int"]
    found = types.struct("s").member("tail").type
    assert isinstance(found, ArrayType)
    assert (found.count, found.size) == (None, 0)
    behind = types.struct("s").member("h").type
    assert isinstance(behind, PointerType)
    assert (behind.target.name, behind.target.size) == ("struct hidden", 0)
    assert "struct hidden" not in types


def test_a_declaration_is_the_definition_of_its_name() -> None:
    made = BtfBuilder()
    declared = made.record(btf.KIND_FWD, "list", 0)
    pointer = made.pointer(declared)
    made.struct("list", 16, [("next", pointer, 0), ("prev", pointer, 64)])
    kind = read(made).struct("list").member("next").type
    assert isinstance(kind, PointerType)
    assert kind.target == read(made)["struct list"]


def test_anonymous_members_and_unions() -> None:
    made = BtfBuilder()
    whole, long = made.integer("int", 4, SIGNED), made.integer("long int", 8, SIGNED)
    union = made.struct("", 8, [("x", whole, 0), ("y", long, 0)], btf.KIND_UNION)
    made.struct("outer", 16, [("first", whole, 0), ("", union, 64)])
    outer = read(made).struct("outer")
    assert outer.names() == ("first", "x", "y")
    assert outer.member("y").offset == 8
    inner = outer.members[1].type
    assert isinstance(inner, StructType)
    assert inner.is_union


def test_bitfields_of_both_kinds() -> None:
    made = BtfBuilder()
    whole = made.integer("unsigned int", 4)
    members = [("a", whole, 3 << 24), ("b", whole, 30 << 24 | 3), ("c", whole, 64)]
    made.struct("new", 12, members, flag=True)
    three = made.integer("unsigned int", 4, bits=3)
    late = made.integer("unsigned int", 4, bits=5, first=2)
    name = made.record(btf.KIND_TYPEDEF, "five_t", late)
    made.struct("old", 8, [("a", three, 1), ("b", made.record(btf.KIND_CONST, "", name), 8),
                           ("c", whole, 32)])  # fmt: skip
    types = read(made)
    places = [
        [(each.name, each.offset, each.size, each.bit_offset, each.bit_size) for each in of.members]
        for of in (types.struct("new"), types.struct("old"))
    ]
    assert places[0] == [("a", 0, 1, 0, 3), ("b", 0, 5, 3, 30), ("c", 8, 4, None, None)]
    assert places[1] == [("a", 0, 1, 1, 3), ("b", 1, 1, 2, 5), ("c", 4, 4, None, None)]


def test_enumerations_of_three_generations() -> None:
    old, new = BtfBuilder(), BtfBuilder()
    old.enum("mood", {"SAD": -1, "FINE": 0})
    old.enum("colour", {"RED": 1}, size=1)
    types = read(old)
    assert types["enum mood"] == EnumType("enum mood", 4, True, ((-1, "SAD"), (0, "FINE")))
    assert types["enum colour"] == EnumType("enum colour", 1, False, ((1, "RED"),))
    new.enum("mood", {"SAD": -1}, flag=True)
    new.enum("mask", {"ALL": 0xFFFFFFFF})
    new.enum64("huge", {"LARGE": 0xFFFFFFFF_00000001})
    new.enum64("deep", {"LOW": -5}, flag=True)
    new.enum("", {"COMM_LEN": 16})
    types = read(new)
    assert [types.enumerator(name) for name in ("SAD", "ALL", "LARGE", "LOW")] == [
        (types["enum mood"], -1),
        (types["enum mask"], 0xFFFFFFFF),
        (types["enum huge"], 0xFFFFFFFF_00000001),
        (types["enum deep"], -5),
    ]
    assert types["enum huge"].size == 8
    comm = types.enumerator("COMM_LEN")
    assert comm is not None
    assert comm[1] == 16
    assert types.enumerator("NOT") is None


def test_signs_are_told_where_any_enumeration_has_64_bits() -> None:
    made = BtfBuilder()
    made.enum("mask", {"ALL": 0xFFFFFFFF})
    assert read(made).enumerator("ALL") == (read(made)["enum mask"], -1)
    made.enum64("huge", {"ONE": 1})
    assert read(made).enumerator("ALL") == (read(made)["enum mask"], 0xFFFFFFFF)


def test_functions_and_variables() -> None:
    made = BtfBuilder()
    whole = made.integer("int", 4, SIGNED)
    made.function("printk", whole, [("fmt", made.pointer(whole)), ("", 0)])
    variables = [made.record(btf.KIND_VAR, name, whole, linkage)
                 for linkage, name in enumerate(("hidden", "seen", "seen"))]  # fmt: skip
    made.record(btf.KIND_DATASEC, ".data..percpu", 12, *(
        word for at, number in enumerate(variables) for word in (number, 4 * at, 4)
    ), count=3)  # fmt: skip
    made.record(btf.KIND_DECL_TAG, "kfunc", 3, -1)
    types = read(made)
    assert types.function("printk").called == "int (int *fmt, ...)"
    assert types.function_names() == ("printk",)
    assert types.variable_names() == ("hidden", "seen")
    hidden, seen = types.variables("hidden"), types.variables("seen")
    assert [each.is_global for each in (*hidden, *seen)] == [False, True, True]
    assert hidden[0].address is None
    assert types.variable("seen") == types["int"]
    assert types.variable_at(0) is None
    assert types.names() == ("int",)
    with pytest.raises(BadSymbol, match="did you mean printk"):
        types.function("printkk")


def test_a_modules_types_go_on_behind_the_kernels() -> None:
    kernel = BtfBuilder()
    whole = kernel.integer("int", 4, SIGNED)
    task = kernel.struct("task", 8, [("pid", whole, 0)])
    kernel.function("fork", whole, [])
    kernel.record(btf.KIND_VAR, "current", kernel.pointer(task), 1)
    kernel.enum("state", {"RUNNING": 0})
    module = BtfBuilder(kernel)
    module.struct("mine", 16, [("task", module.pointer(task), 0), ("own", whole, 64)])
    module.struct("task", 4, [("other", whole, 0)])
    module.function("start", whole, [("pid", whole)])
    module.record(btf.KIND_VAR, "here", whole, 1)
    module.enum("more", {"AGAIN": -3}, flag=True)
    base = BtfReader("vmlinux", kernel.build())
    types = Types(BtfReader("mod", module.build(), base))
    assert str(types["struct mine"]).splitlines()[1].strip().startswith("struct task *task;")
    behind = types.struct("mine").member("task").type
    assert isinstance(behind, PointerType)
    assert isinstance(behind.target, StructType)
    assert behind.target.names() == ("pid",)
    assert types.struct("task").names() == ("other",)
    assert types["int"] == Types(base)["int"]
    assert types.names() == ("enum more", "enum state", "int", "struct mine", "struct task")
    assert types.function_names() == ("fork", "start")
    assert types.function("fork").called == "int (void)"
    assert types.function("start").called == "int (int pid)"
    assert types.variable_names() == ("current", "here")
    assert types.variable("current").name == "struct task *"
    assert types.enumerator("RUNNING") == (types["enum state"], 0)
    assert types.enumerator("AGAIN") == (types["enum more"], -3)
    assert "struct mine" not in Types(base)


def test_a_modules_enumerations_tell_their_signs_if_the_kernels_do() -> None:
    kernel = BtfBuilder()
    kernel.enum("mood", {"SAD": -1}, flag=True)
    module = BtfBuilder(kernel)
    module.enum("mask", {"ALL": 0xFFFFFFFF})
    base = BtfReader("vmlinux", kernel.build())
    types = Types(BtfReader("mod", module.build(), base))
    assert types.enumerator("ALL") == (types["enum mask"], 0xFFFFFFFF)


@given(
    members=st.lists(
        st.tuples(st.sampled_from((1, 2, 4, 8)), st.integers(0, 5), st.integers(0, 40)), max_size=30
    ),
    name=st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True),
)
def test_structures_of_any_members_are_read_back(
    members: list[tuple[int, int, int]], name: str
) -> None:
    """members: (size of an integer, elements or 0 for one, gap before it)."""
    made = BtfBuilder()
    integers = {size: made.integer(f"u{8 * size}", size) for size in (1, 2, 4, 8)}
    placed, at = [], 0
    for number, (size, count, gap) in enumerate(members):
        at += gap
        kind = made.array(integers[size], count) if count else integers[size]
        placed.append((f"m{number}", kind, 8 * at))
        at += size * max(count, 1)
    made.struct(name, at, placed)
    found = read(made).struct(name)
    assert found.size == at
    assert [(each.name, 8 * each.offset) for each in found.members] == [
        (each, first) for each, _, first in placed
    ]
    assert [each.size for each in found.members] == [size * max(n, 1) for size, n, _ in members]


def kernel() -> tuple[BtfBuilder, bytes, int]:
    """Return types of a kernel, its memory, and where that begins."""
    made = BtfBuilder()
    whole, char = made.integer("int", 4, SIGNED), made.integer("char", 1, SIGNED)
    head = made.count + 1
    made.struct("list_head", 16, [("next", head + 1, 0), ("prev", head + 1, 64)])
    made.pointer(head)
    made.struct("task_struct", 40, [("pid", whole, 0), ("comm", made.array(char, 16), 64),
                                    ("children", head, 192)])  # fmt: skip
    made.record(btf.KIND_VAR, "cpu_number", whole, 1)
    start = 0xFFFFFFFF82A00000
    memory = (7).to_bytes(8, "little") + b"swapper/0".ljust(16, b"\0")
    return made, memory + (start + 24).to_bytes(8, "little") * 2, start


def test_objects_of_a_kernel_without_dwarf() -> None:
    made, memory, start = kernel()
    symbols = Symbols([
        Symbol("init_task", start, 40, "object"), Symbol("cpu_number", 0, 4, "percpu"),
        Symbol("other", start, 4, "object"),
    ])  # fmt: skip
    declared = {"init_task": "struct task_struct", "gone": "struct gone *", "nowhere": "int"}
    types = Types(BtfReader("vmlinux", made.build()), declared)
    objects = Objects(symbols, types, lambda at, size: memory[at - start : at - start + size])
    init_task = objects["init_task"]
    assert isinstance(init_task, Object)
    assert init_task["pid"] == 7
    assert isinstance(init_task["pid"], Number)
    assert init_task["children.next"] == start + 24
    comm = init_task["comm"]
    assert isinstance(comm, Object)
    assert comm.string_() == "swapper/0"
    assert objects.at("struct task_struct", objects.address("init_task")) == init_task
    assert types.variable("init_task") == types["struct task_struct"]
    assert types.variable_names() == ("cpu_number", "init_task", "nowhere")
    assert types.variables("gone") == ()
    assert "gone" not in objects
    with pytest.raises(BadSymbol, match=r"each core has its own 'cpu_number': per_cpu"):
        objects["cpu_number"]
    assert objects.place("cpu_number").type_ == types["int"]
    with pytest.raises(BadSymbol, match="nothing says the type of 'other'"):
        objects["other"]


def test_what_debug_information_says_of_a_variable_comes_before_what_is_declared() -> None:
    made = BtfBuilder()
    made.record(btf.KIND_VAR, "init_task", made.integer("int", 4, SIGNED), 1)
    types = Types(BtfReader("vmlinux", made.build()), {"init_task": "unsigned char *"})
    assert types.variable("init_task") == types["int"]


def test_an_image_with_only_btf_has_types_and_linuxs_variables() -> None:
    made, _, _ = kernel()
    image = ElfImage("vmlinux", Builder(extra={".BTF": made.build()}).build())
    assert image.types["struct task_struct"].size == 40
    assert image.types.variable("init_task").name == "struct task_struct"
    assert image.types.variable("klp_patches").name == "struct list_head"
    assert "jiffies" not in image.types.variable_names()  # there is no unsigned long


def test_debug_information_is_preferred_to_btf() -> None:
    made, _, _ = kernel()
    builder = Builder(extra={".BTF": made.build(), ".debug_info": b"x", ".debug_abbrev": b""})
    with pytest.raises(BadImage, match="debug information is malformed"):
        assert ElfImage("vmlinux", builder.build()).types.names()


def test_of_several_types_with_one_name_the_first_is_meant() -> None:
    made = BtfBuilder()
    made.struct("twice", 4, [])
    made.struct("twice", 8, [])
    made.enum("one", {"SAME": 1})
    made.enum("two", {"SAME": 2})
    types = read(made)
    assert types["struct twice"].size == 4
    assert types.enumerator("SAME") == (types["enum one"], 1)
