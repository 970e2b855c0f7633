import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import BadAssembly, Unsupported
from emu.image.symbols import Symbol, Symbols

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keystone = pytest.importorskip("keystone", reason="keystone-engine has no wheel here")

from emu.image.assemble import MAX_BYTES, MAX_STATEMENTS, assemble
from emu.image.disasm import disassemble

AT = 0xFFFFFFFF80200000
SYMBOLS = {"foo": AT + 0x1000, "low": 0x1000, "far": 0x7FFF00000000}


def encode(text: str) -> str:
    return assemble(text, AT, SYMBOLS).hex(" ")


def refusal(text: str) -> str:
    with pytest.raises(BadAssembly) as caught:
        assemble(text, AT, SYMBOLS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mov eax, 10", "b8 0a 00 00 00"),
        ("mov eax, 0x10", "b8 10 00 00 00"),
        ("mov eax, 10h", "b8 10 00 00 00"),
        ("mov eax, 0b11", "b8 03 00 00 00"),
        ("mov eax, -5 + 3", "b8 fe ff ff ff"),
        ("mov al, 'a'", "b0 61"),
        ("and eax, 0xfffffff0", "83 e0 f0"),
        ("MOV RAX, QWORD PTR [RSP + RBP*4 - 8]", "48 8b 44 ac f8"),
        ("mov rax, [rbp+rsp]", "48 8b 04 2c"),
        ("lea rax, [2*rax+rbx]", "48 8d 04 43"),
        ("mov rbx, gs:[0x10]", "65 48 8b 1c 25 10 00 00 00"),  # keystone alone: rip-relative
        ("mov rbx, [0xffffffff80201000]", "48 8b 1c 25 00 10 20 80"),  # the same
        ("nop dword ptr [rax+rax]", "0f 1f 04 00"),  # keystone alone: 0f 18
        ("nop word ptr [rax+rax+0x200]", "66 0f 1f 84 00 00 02 00 00"),
        ("endbr64", "f3 0f 1e fa"),
        ("rep movsb", "f3 a4"),
        ("rep stosq", "f3 48 ab"),
        ("lock cmpxchg [rdi], rsi", "f0 48 0f b1 37"),
        ("xchg ax, ax", "66 90"),
        ("in al, dx", "ec"),
        ("out 0xf4, al", "e6 f4"),
        ("mov rax, cr3", "0f 20 d8"),
        ("ret 8", "c2 08 00"),
        ("int3", "cc"),
        ("lea rax, [rip+5]", "48 8d 05 05 00 00 00"),
    ],
)
def test_instructions(text: str, code: str) -> None:
    assert encode(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("call foo", "e8 fb 0f 00 00"),
        ("jmp foo", "e9 fb 0f 00 00"),
        ("jne foo", "0f 85 fa 0f 00 00"),
        ("call foo+5", "e8 00 10 00 00"),
        ("nop\ncall foo", "90 e8 fa 0f 00 00"),
        ("lea rax, [rip+foo]", "48 8d 05 f9 0f 00 00"),
        ("lea rax, [foo]", "48 8d 05 f9 0f 00 00"),
        ("cmp byte ptr [foo], 1", "80 3d f9 0f 00 00 01"),  # counts from behind the immediate
        ("lock inc dword ptr [foo]", "f0 ff 05 f9 0f 00 00"),  # and with the prefix
        ("call [foo]", "ff 15 fa 0f 00 00"),
        ("mov rbx, [foo+rcx*8]", "48 8b 1c cd 00 10 20 80"),
        ("mov rax, offset foo", "48 c7 c0 00 10 20 80"),
        ("movabs rax, offset far", "48 b8 00 00 00 00 ff 7f 00 00"),
        ("mov edi, offset low", "bf 00 10 00 00"),
    ],
)
def test_symbols_of_the_kernel(text: str, code: str) -> None:
    assert encode(text) == code


def test_symbols_may_come_from_an_image() -> None:
    symbols = Symbols([Symbol("foo", AT + 0x1000, 4, "func")])
    assert assemble("call foo", AT, symbols).hex() == "e8fb0f0000"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mov $10, %eax", "b8 0a 00 00 00"),  # keystone alone reads 16
        ("mov %gs:0x10, %rbx", "65 48 8b 1c 25 10 00 00 00"),  # keystone alone: rip-relative
        ("lea foo(%rip), %rax", "48 8d 05 f9 0f 00 00"),
        ("mov foo(,%rcx,8), %rbx", "48 8b 1c cd 00 10 20 80"),
        ("incl foo(%rip)", "ff 05 fa 0f 00 00"),
        ("mov $low, %edi", "bf 00 10 00 00"),
        ("call foo", "e8 fb 0f 00 00"),
        ("call *%rax", "ff d0"),
        ("jmp *foo(,%rax,8)", "ff 24 c5 00 10 20 80"),
        ("movq $1, 8(%rsp)", "48 c7 44 24 08 01 00 00 00"),
        ("retq", "c3"),
    ],
)
def test_att_syntax(text: str, code: str) -> None:
    assert encode(f".att_syntax\n{text} # comment") == code


def test_the_syntax_may_change_in_the_file() -> None:
    both = ".att_syntax prefix\nmov $1, %eax\n.intel_syntax noprefix\nmov eax, 1"
    assert encode(both) == "b8 01 00 00 00 b8 01 00 00 00"


@pytest.mark.parametrize(
    "text",
    [
        "nop # c",
        "nop // c",
        "nop ; c",
        "nop /* c */",
        "/* a\nb */ nop",
        "# ret\n; ret\nnop",
        "\r\nnop\r\n",
    ],
)
def test_comments(text: str) -> None:
    assert encode(text) == "90"


def test_a_second_instruction_behind_a_semicolon_is_never_dropped() -> None:
    assert refusal("nop; ret").startswith("patch.s:1: ';' begins a comment, but 'ret'")
    assert encode("nop ; ret from here") == "90"


def test_labels_forward_backward_and_numbered() -> None:
    assert encode("again: nop\njmp again") == "90 eb fd"
    assert encode("jmp end\nint3\nend:\n\nret") == "eb 01 cc c3"
    assert encode("1: nop\njmp 1b\njmp 1f\n1: ret") == "90 eb fd eb 00 c3"
    assert encode("1: jmp 1b\n1: ret") == "eb fe c3"
    assert encode("1: jmp 1f\nint3\n1: ret") == "eb 01 cc c3"
    assert encode("jmp .") == "eb fe"
    assert encode("foo: call foo") == "e8 fb ff ff ff"  # a label before a symbol
    assert encode("a: b: nop\n.long b - a").endswith("00 00 00 00")


def test_branches_take_the_shortest_form_that_reaches() -> None:
    assert encode("jmp end\n.zero 127\nend: ret").startswith("eb 7f")
    assert encode("jmp end\n.zero 128\nend: ret").startswith("e9 80 00 00 00")


def test_branches_that_lengthen_each_other_settle() -> None:
    text = "jmp end\n" * 40 + ".zero 60\nend: ret"
    code = assemble(text, AT, SYMBOLS)
    targets = {each.op_str for each in disassemble(code, AT) if each.mnemonic == "jmp"}
    assert targets == {f"{AT + len(code) - 1:#x}"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (".byte 1, 0x2, -3, 'a'", "01 02 fd 61"),
        (".word 0x1234\n.long 5", "34 12 05 00 00 00"),
        (".quad foo, foo+1", "00 10 20 80 ff ff ff ff 01 10 20 80 ff ff ff ff"),
        ('.asciz "a;#\\n"', "61 3b 23 0a 00"),
        ('.ascii "a  b"', "61 20 20 62"),
        ("nop\n.balign 4\nret", "90 90 90 90 c3"),
        (".p2align 2\nret", "c3"),
        (".globl f\n.type f, @function\nf: ret\n.size f, .-f", "c3"),
    ],
)
def test_directives(text: str, code: str) -> None:
    assert encode(text) == code


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("bogus eax", 1),
        ("nop\n\n# comment\nlabel:\n  bogus", 5),
        ("nop\n/* two\nlines */ bogus", 3),
        ("a: b:\n c: bogus", 2),
        ("nop\nmov eax, [", 2),
        ('nop\n.incbin "/etc/passwd"', 2),
        ("nop\n.section .data\nnop", 2),
        ("jmp end\n\nend: jmp nowhere", 3),
        ("nop\na: nop\na: nop", 3),
        (".zero 4096\nnop", 2),
    ],
)
def test_the_line_of_an_error(text: str, line: int) -> None:
    assert refusal(text).startswith(f"patch.s:{line}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing to assemble"),
        ("# only a comment\nlabel:\n", "nothing to assemble"),
        (".text", "nothing to assemble"),
        ("call fooo", "no label or symbol 'fooo': did you mean foo?"),
        ("mov rax, foo", "write 'offset foo' for its address, '[foo]' for the memory there"),
        ("mov edi, 0x1122334455", "cannot be encoded"),  # keystone alone truncates
        ("mov edi, offset foo", "cannot be encoded"),
        ("mov byte ptr [rax], 256", "cannot be encoded"),
        ("lea rax, [far]", "over 2 GiB away"),
        ("call far", "invalid fixup"),
        ("mov eax, 010", "neither a number nor a name"),
        ("jmp 1f", "no label '1' behind it"),
        ("mov ah, r8b", "REX"),  # keystone alone ends the process
        ("lock xchg ah, [r8]", "REX"),
        ("rep - je", "'-' is not an instruction"),  # keystone alone never returns
        ("data16 $1, $2", "'data16' is not an instruction"),
        ("leave dx { : ]", "not understood"),
        (".byte 256", "does not fit into 8 bits"),
        (".zero 100000", ".zero takes 0 to 4096"),
        (".align 3", "power of two"),
        ('.ascii "\\x"', "bad escape"),
        ("mov eax, 123456789012345678901234567890", "64 bits"),
        ("nop\n" * (MAX_STATEMENTS + 1), f"over {MAX_STATEMENTS} statements"),
        (".zero 4096\n" * 2, f"over {MAX_BYTES} bytes"),
        ("x" * 300_000, "too long"),
    ],
)
def test_refusals_say_why(text: str, message: str) -> None:
    assert message in refusal(text)


def test_the_name_of_the_file_is_in_the_message() -> None:
    with pytest.raises(BadAssembly, match=r"^my\.s:1: "):
        assemble("bogus", AT, {}, source_name="my.s")


def test_without_keystone_only_assembling_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keystone", None)
    with pytest.raises(Unsupported, match="everything else works without it"):
        assemble("nop", AT, {})


WORDS = (
    *("mov", "lea", "call", "jmp", "lock", "rep", "nop", "rax", "eax", "ah", "r8b", "rip", "rsp"),
    *("gs:", "byte", "dword", "ptr", "offset", "foo", "1b", ".", "0x10", "-1", "a:", ".byte"),
    *"[]()+-*,:{}%$;#\"'\\\n",
    *("//", ".att_syntax\n", ".intel_syntax\n"),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=40))
def test_whatever_the_text_it_is_assembled_or_refused(text: str) -> None:
    message = ""
    try:
        assemble(text, AT, SYMBOLS)
    except BadAssembly as error:
        message = str(error)
    assert not message or message.startswith("patch.s:")
