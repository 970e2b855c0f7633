"""Compiling: what reaches the compiler, what it says, and what is wrong when it does not do it."""

import contextlib
import os
import select
import stat
from pathlib import Path

import pytest

from emu import resources
from emu.errors import BadSource, Unsupported
from emu.image.object_file import ObjectFile
from emu.patch import compile as compiling
from emu.patch.compile import MAX_SAID, MAX_SOURCE, code_model, compile_c
from tests.patch.c_source import PATCHES, needs_gcc, write


def script(folder: Path, text: str) -> str:
    """Write a program that stands for a compiler; returns its path."""
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@needs_gcc
def test_an_object_without_warnings(tmp_path: Path) -> None:
    made = compile_c(write(tmp_path, "int f(void)\n{\n\tint spare;\n\treturn 1;\n}\n"))
    (line,) = [line for line in made.warnings if "warning:" in line]
    assert line.startswith("fix.c:3:")
    assert "unused variable 'spare'" in line
    made = compile_c(write(tmp_path, "int f(int unused) { return 1; }\n"))
    assert made.warnings == ()
    names = [each.name for each in ObjectFile("fix.c", made.object).functions()]
    assert names == ["f"]


@needs_gcc
def test_a_static_function_that_nobody_calls_is_kept(tmp_path: Path) -> None:
    made = compile_c(write(tmp_path, "#include <toy/defs.h>\nstatic int f(void) { return 1; }\n"))
    assert made.warnings == ()
    functions = [each.name for each in ObjectFile("fix.c", made.object).functions()]
    assert functions == ["f"]  # and none of the headers' inline ones


HEADERS = sorted(
    path.name
    for path in resources.include().rglob("*.h")
    if ".macro" not in path.read_text()  # for assembly
)


@needs_gcc
@pytest.mark.parametrize("header", HEADERS)
def test_each_header_can_be_included_by_itself(tmp_path: Path, header: str) -> None:
    folder = "" if (resources.include() / header).exists() else "toy/"
    made = compile_c(write(tmp_path, f"#include <{folder}{header}>\nint f(void) {{ return 0; }}\n"))
    assert made.warnings == ()


@needs_gcc
@pytest.mark.parametrize("path", sorted(PATCHES.glob("*.c")), ids=lambda path: str(path.name))
def test_the_examples_have_no_warnings(path: Path) -> None:
    assert compile_c(path).warnings == ()


@needs_gcc
def test_errors_are_told_by_line_and_whole(tmp_path: Path) -> None:
    source = write(tmp_path, "int f(void)\n{\n\treturn nothing;\n}\nint g(void) { return 1 }\n")
    with pytest.raises(
        BadSource, match=r"^fix\.c does not compile: line 3: 'nothing'.*2 errors"
    ) as e:
        compile_c(source)
    assert any(line.startswith("fix.c:3:") for line in e.value.said)
    assert any(line.startswith("fix.c:5:") for line in e.value.said)
    assert str(tmp_path) not in "".join(e.value.said)


@needs_gcc
def test_a_file_without_headers_is_told_of_them(tmp_path: Path) -> None:
    told = r"; it includes no header of the kernel, as <toy/defs\.h> is the toy's$"
    with pytest.raises(BadSource, match=told):
        compile_c(write(tmp_path, "size_t f(void) { return 0; }\n"))
    with pytest.raises(BadSource, match=r"errors in all\)$|'x'[^;]*$"):
        compile_c(write(tmp_path, "# include <toy/defs.h>\nint f(void) { return x; }\n"))


def test_what_the_compiler_says_drives_no_terminal_and_has_an_end(tmp_path: Path) -> None:
    lines = "".join(f'#warning "\x1b[31m {number}"\n' for number in range(300))
    said = compile_c(write(tmp_path, lines + "int f(void) { return 0; }\n")).warnings
    assert len(said) == MAX_SAID + 1
    assert "\x1b" not in "".join(said)
    with pytest.raises(BadSource) as e:
        compile_c(write(tmp_path, '#error "\x1b[31m"\n'))
    assert "\x1b" not in "".join((str(e.value), *e.value.said))


@needs_gcc
def test_headers_of_another_kernel_come_first(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "toy"
    mine.mkdir(parents=True)
    (mine / "defs.h").write_text("#define ANSWER 42\n")
    source = write(tmp_path, "#include <toy/defs.h>\nint f(void) { return ANSWER; }\n")
    compile_c(source, [tmp_path / "mine"])
    with pytest.raises(BadSource, match="ANSWER"):
        compile_c(source)
    with pytest.raises(BadSource, match=r"--include .*none: no such folder"):
        compile_c(source, [tmp_path / "none"])


@needs_gcc
def test_folders_and_variables_of_the_shell_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "#include <toy/defs.h>\nconst char *f(void) { return __FILE__; }\n"
    one = compile_c(write(tmp_path, text)).object
    other, evil = tmp_path / "-other folder", tmp_path / "evil" / "toy"
    for folder in (other, evil):
        folder.mkdir(parents=True)
    (evil / "defs.h").write_text("#error not this one\n")
    monkeypatch.setenv("CPATH", str(evil.parent))
    monkeypatch.chdir(other)
    write(other, text)
    assert compile_c(Path("fix.c")).object == one
    assert sorted(other.iterdir()) == [other / "fix.c"]  # nothing is left behind


@needs_gcc
@pytest.mark.parametrize("name", ["-v.c", "@fix.c", "a b.c"])
def test_a_file_is_no_option(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "int f(void) { return 0; }\n", name)
    assert ObjectFile(name, compile_c(Path(name)).object).functions()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"none\.c: No such file"):
        compile_c(tmp_path / "none.c")
    with pytest.raises(BadSource, match=r"Is a directory|not a file"):
        compile_c(tmp_path)
    with pytest.raises(BadSource, match="1,048,577 bytes"):
        compile_c(write(tmp_path, " " * (MAX_SOURCE + 1)))
    with pytest.raises(BadSource, match="cannot be read"):
        compile_c(Path("a\0b.c"))


def test_without_a_compiler_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path, "int f(void) { return 0; }\n")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match=r"needs gcc.*apt-get install gcc.*CC"):
        compile_c(source)
    monkeypatch.setenv("CC", "nocc -O1")
    with pytest.raises(Unsupported, match=r"CC is 'nocc', which cannot be run: No such file"):
        compile_c(source)
    monkeypatch.setenv("CC", str(source))
    with pytest.raises(Unsupported, match="Permission denied"):
        compile_c(source)
    monkeypatch.setenv("CC", "gcc '")
    with pytest.raises(Unsupported, match="open quote"):
        compile_c(source)


def test_compilers_that_fail_in_their_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path, "int f(void) { return 0; }\n")
    for text, says in (
        ("echo 'cc1: out of memory'; exit 3", "does not compile: cc1: out of memory"),
        ("exit 3", "ended with status 3"),
        ("exit 0", "made no object"),
        ("echo 'cc: fatal error: no cc1'; exit 1", "does not compile: no cc1"),
    ):
        monkeypatch.setenv("CC", script(tmp_path, text))
        with pytest.raises(BadSource, match=says):
            compile_c(source)


def test_a_compiler_that_never_ends_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "TIMEOUT", 1.0)
    child = tmp_path / "child"
    monkeypatch.setenv("CC", script(tmp_path, f"sh -c 'echo $$ >{child}; while :; do :; done'"))
    with pytest.raises(BadSource, match="took over"):
        compile_c(write(tmp_path, "int f(void) { return 0; }\n"))
    number = child.read_text().strip()
    with contextlib.suppress(ProcessLookupError):
        ended = os.pidfd_open(int(number))
        assert select.select([ended], [], [], 10)[0]
        os.close(ended)


@pytest.mark.parametrize(
    ("address", "model"),
    [
        (0x10_0000, "kernel"),
        ((1 << 31) - 1, "kernel"),
        (1 << 31, "large"),
        (0xFFFF_8000_0010_0000, "large"),
        (0xFFFF_FFFF_8000_0000, "kernel"),
    ],
)
def test_the_model_follows_where_the_kernel_lies(address: int, model: str) -> None:
    assert code_model(address) == model
