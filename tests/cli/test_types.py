import json
from pathlib import Path
from typing import Any

import pytest

from emu.image.btf_section import KIND_VAR
from emu.image.elf import ElfImage
from tests.cli.conftest import Command
from tests.conftest import TOY
from tests.image.btf_builder import BtfBuilder
from tests.image.elf_builder import Builder, build

LAYOUT = Path(__file__).parents[1] / "image" / "layout5.elf"


def test_a_structure_with_and_without_its_keyword(textpoke: Command) -> None:
    whole = textpoke("types", LAYOUT, "struct list")
    assert whole.out.decode() == str(ElfImage.read(LAYOUT).types["struct list"]) + "\n"
    assert textpoke("types", LAYOUT, "list").out == whole.out


def test_the_types_of_an_image_are_listed(textpoke: Command) -> None:
    lines = textpoke("types", LAYOUT).out.decode().splitlines()
    assert "     136  struct thing" in lines
    assert "       4  u32 = unsigned int" in lines
    unions = textpoke("types", LAYOUT, "union *").out.decode().splitlines()
    assert unions == ["       4  union either"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("things", "struct thing things[2];  /* 272 bytes at 0x201060, layout.c */"),
        ("head", "static struct list head;  /* 16 bytes at 0x201030, layout.c */"),
        ("start", "void start(void);"),
        ("struct list *", "struct list *"),
    ],
)
def test_variables_and_functions_show_their_type(textpoke: Command, name: str, text: str) -> None:
    assert textpoke("types", LAYOUT, name).out.decode().rstrip("\n") == text


def test_documents(textpoke: Command) -> None:
    def told(*words: object) -> dict[str, Any]:
        found = json.loads(textpoke("types", LAYOUT, *words, "--json").out)
        assert found.pop("image") == "layout5.elf"
        assert isinstance(found, dict)
        return found

    (thing,) = told("struct thing")["types"]
    members = {each["name"]: each for each in thing["members"]}
    assert members["wide"] == {
        "name": "wide", "type": "long unsigned int", "offset": 57, "size": 5, "bit_offset": 0,
        "bit_size": 40,
    }  # fmt: skip
    assert told("enum mood")["types"] == [
        {"name": "enum mood", "kind": "enum", "size": 4, "values": {"SAD": -1, "FINE": 0}}
    ]
    assert told("u32")["types"] == [
        {"name": "u32", "kind": "int", "size": 4, "target": "unsigned int"}
    ]
    assert told("counter")["variables"] == [
        {"name": "counter", "type": "int", "size": 4, "address": 0x201020, "file": "layout.c",
         "function": ""}
    ]  # fmt: skip
    assert told("start") == {"function": "start", "type": "void start(void)"}
    listed = told()["types"]
    assert {"name": "struct pair", "kind": "struct", "size": 4} in listed


def test_names_that_are_not_there(textpoke: Command, tmp_path: Path) -> None:
    assert "did you mean thing" in textpoke("types", LAYOUT, "thign").refusal()
    assert "no type in layout5.elf matches 'q*'" in textpoke("types", LAYOUT, "q*").refusal()
    stripped = tmp_path / "stripped.elf"
    stripped.write_bytes(build())
    assert "build with -g" in textpoke("types", stripped).refusal()


def test_every_type_of_the_toy_kernel_is_shown(textpoke: Command) -> None:
    for name in ElfImage.read(TOY).types.names():
        assert textpoke("types", "toy", name).status == 0, name


def test_a_kernel_with_only_btf(textpoke: Command, tmp_path: Path) -> None:
    made = BtfBuilder()
    kind = made.struct("task_struct", 8, [("pid", made.integer("int", 4, 1), 0)])
    made.record(KIND_VAR, "current_task", kind, 1)
    path = tmp_path / "vmlinux"
    path.write_bytes(Builder(extra={".BTF": made.build()}).build())
    assert textpoke("types", path, "task_struct").out.startswith(b"struct task_struct {")
    for name in ("current_task", "init_task"):  # per-CPU, and declared
        told = textpoke("types", path, name).out.decode()
        assert told == f"struct task_struct {name};  /* 8 bytes */\n"
