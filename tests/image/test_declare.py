"""Types as C writes them."""

from dataclasses import replace
from pathlib import Path

import pytest

from emu.errors import BadSymbol
from emu.image.c_types import Spelling
from emu.image.declare import declare
from emu.image.elf import ElfImage
from emu.image.objects import Objects
from emu.image.types import ArrayType, FunctionType, IntType, PointerType
from tests.image.compiled import compiled

KINDS = (Path(__file__).parent / "kinds.c").read_text()

THING = """struct thing {
	char name[16];                          /*     0      16 */
	odd_u32 refs;                           /*    16       4 */
	enum colour colour;                     /*    20       4 */
	struct list list;                       /*    24      16 */
	struct {
		int x;                          /*    40       4 */
		/* 4 bytes unused */
		union {
			long int y;             /*    48       8 */
			unsigned char bytes[8]; /*    48       8 */
			/* size: 8 */
		};  /*    48       8 */
		/* size: 16 */
	};  /*    40      16 */
	unsigned int low : 3;                   /*    56:0     1 */
	int middle : 5;                         /*    56:3     1 */
	long unsigned int wide : 40;            /*    57:0     5 */
	struct pair pairs[3][2];                /*    62      24 */
	/* 2 bytes unused */
	void (*call)(int);                      /*    88       8 */
	void *opaque;                           /*    96       8 */
	struct undefined *hidden;               /*   104       8 */
	const char *text;                       /*   112       8 */
	_Bool flag;                             /*   120       1 */
	/* 3 bytes unused */
	enum mood mood;                         /*   124       4 */
	double real;                            /*   128       8 */
	u32 tail[];                             /*   136       0 */
	/* size: 136 */
};"""


def test_a_structure_is_printed_with_offsets_sizes_and_gaps(layout: ElfImage) -> None:
    assert str(layout.types["struct thing"]) == THING


def test_enumerations_and_typedefs(layout: ElfImage) -> None:
    assert str(layout.types["enum mood"]) == "enum mood {\n\tSAD = -1,\n\tFINE = 0,\n};"
    assert str(layout.types["u32"]) == "typedef unsigned int u32;"
    assert str(layout.types["odd_u32"]) == "typedef volatile const u32 odd_u32;"
    assert layout.types["odd_u32"].called == "odd_u32"
    assert repr(layout.types["odd_u32"]) == "<odd_u32, 4 bytes>"
    assert layout.types["odd_u32"].name == "unsigned int"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("unsigned", "unsigned int"),
        ("unsigned long", "long unsigned int"),
        ("long", "long int"),
        ("short signed int", "short int"),
        ("struct thing *", "struct thing *"),
        ("const char **", "char **"),
        ("void *", "void *"),
        ("u32[2][3]", "unsigned int[2][3]"),
        ("struct list *[4]", "struct list *[4]"),
    ],
)
def test_names_that_c_makes_of_others(layout: ElfImage, name: str, found: str) -> None:
    assert layout.types[name].name == found
    assert name in layout.types


@pytest.mark.parametrize(
    "name", ["struct nope *", "u32[99999999999]", "u32" + "*" * 17, "u32[-1]", "", "unsigned float"]
)
def test_names_of_nothing(layout: ElfImage, name: str) -> None:
    assert name not in layout.types
    with pytest.raises(BadSymbol):
        _ = layout.types[name]


@pytest.fixture(scope="module", params=["-O0", "-O2"])
def kinds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ElfImage:
    return compiled(tmp_path_factory.mktemp("kinds"), KINDS, "-g", request.param)


@pytest.mark.parametrize(
    ("path", "called", "name"),
    [
        ("fixed", "char *const", "char *"),
        ("more", "volatile const char *restrict *", "char **"),
        ("selves", "struct pointers **[3]", "struct pointers **[3]"),
        ("print", "int (*)(const char *, ...)", "int (*)(char *, ...)"),
        ("chosen", "void (*(*)(int))(char)", "void (*(*)(int))(char)"),
        ("row", "int (*)[4]", "int (*)[4]"),
        ("table", "int (*[2])(struct list)", "int (*[2])(struct list)"),
    ],
)
def test_declarators_inside_out(kinds: ElfImage, path: str, called: str, name: str) -> None:
    found = kinds.types.struct("pointers").member(path).type
    assert (found.called, found.name) == (called, name)


def test_structures_without_a_name_go_by_their_typedef(kinds: ElfImage) -> None:
    points = kinds.types.struct("arrays").member("points").type
    assert isinstance(points, ArrayType)
    assert points.called == "point_t[3]"
    assert str(kinds.types["either_t"]).startswith("typedef union {\n\tint whole;")
    assert kinds.types.pointer_to(kinds.types["point_t"]).name == "point_t *"


def test_function_pointers_have_parameters(kinds: ElfImage) -> None:
    compare = kinds.types.struct("pointers").member("compare").type
    assert isinstance(compare, PointerType)
    function = compare.target
    assert isinstance(function, FunctionType)
    assert [each.type.called for each in function.parameters] == [
        "const void *", "const void *", "long unsigned int",
    ]  # fmt: skip
    assert (function.result.name, function.variadic) == ("int", False)


def test_functions_have_types(kinds: ElfImage) -> None:
    assert kinds.types.function("count").called == "int (int step)"
    assert kinds.types.function("printed").called == "int (const char *format, ...)"
    with pytest.raises(BadSymbol, match="did you mean count"):
        kinds.types.function("cuont")
    assert {"count", "printed"} <= set(kinds.types.function_names())


def test_static_variables_of_one_name_are_told_apart(kinds: ElfImage) -> None:
    objects = Objects(kinds.symbols, kinds.types, kinds.read_virtual)
    assert objects["twice"] == objects.variable("twice", "probe.c") == 5
    assert objects.variable("twice", "count") == 7
    with pytest.raises(BadSymbol, match=r"no variable 'twice' in 'cuont'.*did you mean count"):
        objects.variable("twice", "cuont")
    within = [each.function for each in kinds.types.variables("twice")]
    assert within == ["", "count"]
    static = next(name for name in (s.name for s in kinds.symbols) if name.startswith("twice."))
    assert objects[static] == 7


def test_types_of_functions_are_found(kinds: ElfImage) -> None:
    assert kinds.types.struct("local").names() == ("inside",)


def test_a_vector_is_an_array_that_says_so(kinds: ElfImage) -> None:
    vector = kinds.types.struct("vectors").member("w").type
    assert isinstance(vector, ArrayType)
    assert (vector.is_vector, vector.count, vector.size) == (True, 4, 32)
    assert vector.called == "double __attribute__((vector_size(32)))"


def test_an_enumeration_has_the_sign_of_its_integer(kinds: ElfImage) -> None:
    sizes = {name: kinds.types[f"enum {name}"].size for name in ("tiny", "huge", "mood")}
    assert sizes == {"tiny": 1, "huge": 8, "mood": 4}
    assert kinds.types.struct("integers").member("wide").type == IntType("__int128", 16, True)


def test_link_time_optimisation_leaves_types_and_variables(tmp_path: Path) -> None:
    image = compiled(tmp_path, KINDS, "-g", "-O0", "-flto", "-ffat-lto-objects")
    assert image.types.struct("packed").size == 15
    assert image.types.variable("bits") == image.types.struct("bits")


def test_an_array_and_its_elements_are_qualified_once() -> None:
    """gcc qualifies both, where C says it once."""
    char = IntType("char", 1, signed=True, is_char=True)
    const = replace(char, spelled=Spelling("const", "", char))
    array = ArrayType("char[4]", 4, const, 4)
    both = replace(array, spelled=Spelling("const", "", array))
    assert declare(both, "name") == "const char name[4]"
