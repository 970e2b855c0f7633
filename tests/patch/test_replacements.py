"""Replacements at work in the toy kernel, and how functions and files are paired."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.detect.watch import CALL
from emu.errors import BadAssembly, BadSource, BadSymbol, NoSite, PokeError, TextpokeError
from emu.image.number import Number
from emu.image.objects import Object
from emu.lab import Lab
from emu.machine.state import E_A, E_KIND
from emu.patch.redirect import Redirect
from emu.patch.text_poke import NOP5
from tests.labs import loaded
from tests.patch.c_source import PATCHES, needs_gcc, write

pytestmark = needs_gcc

READ = """#include <toy/defs.h>
static long livepatch_vfs_read(struct file *f, char *buf, size_t n) { return -EINVAL; }
"""
WRITE = """#include <toy/defs.h>
long vfs_write(struct file *f, const char *buf, size_t n) { return -EBADF; }
"""


@pytest.fixture(scope="module")
def idle() -> Lab:
    """A lab to place things in, which never runs."""
    return loaded(cores=1)


def patched(lab: Lab, functions: list[str], *files: Path) -> tuple[Redirect, ...]:
    """Patch functions of a running lab, and let it run for a while."""
    redirects = lab.load(functions, files)
    lab.patch_in(redirects, instructions=10_000_000)
    assert lab.patcher.done
    lab.run(instructions=400_000)
    return redirects


def last_reads(lab: Lab) -> list[int]:
    cpus = lab.guest.objects["cpus"]
    assert isinstance(cpus, Object)
    found = [
        cpu.member_("last_read")
        for cpu in list(cpus)[: lab.machine.cores]
        if isinstance(cpu, Object)
    ]
    return [int(each) for each in found]


def variable(lab: Lab, name: str, size: int) -> bytes:
    """Return the bytes of a variable that a replacement has."""
    symbol = next(each.symbols[name] for each in lab.arena.placed if name in each.symbols)
    assert symbol.kind == "object"
    return lab.guest.read(symbol.address, size)


# --- the examples, each with its effect in the guest -------------------------------------------


def test_cmdline_proc_show_says_that_it_is_patched() -> None:
    lab = loaded(seed=3)
    patched(lab, ["cmdline_proc_show"], PATCHES / "cmdline_proc_show.c")
    assert last_reads(lab) == [len("this has been live patched\n")] * 4
    lines = lab.guest.objects["tasks"]
    assert isinstance(lines, Object)
    tasks = [task for task in lines if isinstance(task, Object) and task.pid]
    said = {task.member_("line").string_() for task in tasks}  # type: ignore[union-attr]  # an array
    assert "this has been live patched\n" in said


def test_vfs_read_cuts_reads_and_says_so_once() -> None:
    lab = loaded(seed=4)
    patched(lab, ["vfs_read"], PATCHES / "vfs_read.c")
    assert last_reads(lab) == [4] * 4
    assert lab.machine.output.count(b"vfs_read: cut to 4 bytes\r\n") == 1
    assert struct.unpack("<I", variable(lab, "said.0", 4)) == (1,)
    lab.drain()
    assert lab.verdict().status == 0


def test_ring_write_counts_for_each_core_what_the_detectors_count() -> None:
    lab = loaded(seed=5)
    patched(lab, ["ring_write"], PATCHES / "ring_write.c")
    lab.drain()
    counted = struct.unpack("<40Q", variable(lab, "written", 320))
    by_core = [sum(counted[5 * core : 5 * core + 5]) for core in range(8)]
    assert all(by_core[:4])
    assert not any(by_core[4:])
    assert sum(by_core) == pytest.approx(lab.verdict().new, abs=4)  # some are still inside
    assert lab.verdict().status == 0


def test_several_at_once_and_out_again() -> None:
    lab = loaded(seed=6)
    names = ["vfs_read", "cmdline_proc_show", "ring_write"]
    redirects = patched(lab, names, *(PATCHES / f"{name}.c" for name in names))
    assert [each.function for each in redirects] == names
    assert last_reads(lab) == [4] * 4
    before = lab.verdict()
    lab.patch_out(redirects, instructions=10_000_000)
    assert [lab.guest.read(each.site, 5) for each in redirects] == [NOP5] * 3
    lab.run(instructions=400_000)
    lab.drain()
    after = lab.verdict()
    rows = lab.machine.events.since(lab.machine.events.first)
    calls = rows[rows[:, E_KIND] == CALL, E_A].tolist()
    assert set(calls) == {0, 1, 2}  # the numbers of the functions
    assert after.calls == pytest.approx(len(calls), abs=8)  # some are under way
    assert last_reads(lab) == [len("load\n")] * 4
    assert after.old - before.old > 10 * (after.new - before.new)
    assert after.status == 0


# --- what a replacement may be -----------------------------------------------------------------


def test_a_local_function_that_gcc_could_change_is_called_as_the_kernel_calls_it(
    tmp_path: Path,
) -> None:
    """Static, used in its own file with a constant, one parameter unused: food for IPA-SRA."""
    text = """#include <toy/defs.h>
    static __attribute__((noinline))
    u32 livepatch_ring_write(struct ring *r, const void *buf, u32 n)
    {
        r->head += n;
        return n + 100;
    }
    u32 other(struct ring *r) { return livepatch_ring_write(r, 0, 2); }
    """
    lab = loaded(seed=7)
    lab.patch_in(lab.load(["ring_write"], [write(tmp_path, text)]), instructions=10_000_000)
    lab.run(instructions=200_000)
    tasks = lab.guest.objects["tasks"]
    assert isinstance(tasks, Object)
    heads = [int(task.member_("ring.head")) for task in tasks if isinstance(task, Object)]
    assert max(heads) > 2
    assert all(head % 2 == 0 for head in heads)  # n is what the kernel passed: 2, and at times 1


def test_variables_have_their_first_values_and_can_change(tmp_path: Path) -> None:
    text = """#include <toy/defs.h>
    static u64 calls = 1000, zeroes[3];
    int cmdline_proc_show(struct seq_file *m) { zeroes[calls++ % 3]++; return 7; }
    """
    lab = loaded(seed=8, cores=1)
    redirects = lab.load(["cmdline_proc_show"], [write(tmp_path, text)])
    lab.patch_in(redirects, instructions=10_000_000)
    lab.run(instructions=200_000)
    (calls,) = struct.unpack("<Q", variable(lab, "calls", 8))
    zeroes = struct.unpack("<3Q", variable(lab, "zeroes", 24))
    assert calls > 1010
    assert sum(zeroes) in (calls - 1000, calls - 1001)
    assert last_reads(lab) == [7]


def test_a_report_names_places_in_replacements_and_trampolines(tmp_path: Path) -> None:
    text = """#include <toy/defs.h>
int cmdline_proc_show(struct seq_file *m)
{
    asm("ud2");
    return 0;
}
"""
    lab = loaded(seed=9, cores=1)
    redirects = lab.load(["cmdline_proc_show"], [write(tmp_path, text)])
    lab.patch_in(redirects, instructions=1_000_000)
    end = lab.run(instructions=1_000_000)
    assert lab.report(end) is None
    report = lab.report(end, exited=True)
    assert report
    place = report.cores[0].traps[-1].place
    assert (place.symbol, place.source) == ("livepatch: cmdline_proc_show", "fix.c:4")
    assert place.wrong is None
    assert "before that: invalid opcode (#UD) at livepatch: cmdline_proc_show" in report.sentence
    names = {
        each.describe(redirects[0].trampoline + 5)
        for each in lab.arena.placed
        if redirects[0].trampoline in each
    }
    assert names == {"livepatch: trampoline of cmdline_proc_show+0x5"}


@pytest.mark.slow
def test_three_hundred_functions_are_two_batches_in_and_two_out(tmp_path: Path) -> None:
    names = [f"leaf_{number:03}" for number in range(300)]
    bodies = "".join(f"u32 {name}(u32 x) {{ return ~x - {n}; }}\n" for n, name in enumerate(names))
    lab = loaded(seed=10)
    redirects = lab.load(names, [write(tmp_path, f"#include <poke.h>\n{bodies}")])
    lab.patch_in(redirects)
    assert lab.patcher.requests == 2
    assert all(lab.guest.read(each.site, 5) == each.call for each in redirects)
    lab.run(instructions=400_000)
    lab.patch_out(redirects)
    assert all(lab.guest.read(each.site, 5) == NOP5 for each in redirects)
    lab.drain()
    verdict = lab.verdict()
    assert (verdict.status, lab.patcher.requests) == (0, 4)
    assert verdict.new > 1000


# --- pairing, and what is refused --------------------------------------------------------------


def test_names_with_and_without_the_prefix_in_any_order(idle: Lab, tmp_path: Path) -> None:
    read, write_ = write(tmp_path, READ, "read.c"), write(tmp_path, WRITE, "write.c")
    body = write(tmp_path, "mov eax, 1\nret\n", "ring.s")
    redirects = idle.load(["ring_write", "vfs_write", "vfs_read"], [read, body, write_])
    assert [each.function for each in redirects] == ["ring_write", "vfs_write", "vfs_read"]
    named = [
        next(p.describe(each.replacement) for p in idle.arena.placed if each.replacement in p)
        for each in redirects
    ]
    assert named == [
        "livepatch: ring_write", "livepatch: vfs_write", "livepatch: livepatch_vfs_read",
    ]  # fmt: skip
    assert len({each.trampoline for each in redirects}) == 3


def test_assembly_files_in_the_order_of_the_functions(idle: Lab, tmp_path: Path) -> None:
    one = write(tmp_path, "mov eax, 1\nret\n", "one.s")
    two = write(tmp_path, "mov eax, 2\nret\n", "two.s")
    first, second = idle.load(["vfs_write", "vfs_read"], [two, one])
    assert first.code[-1][1][:2] == b"\xb8\x02"
    assert second.code[-1][1][:2] == b"\xb8\x01"


REFUSED: dict[str, tuple[list[str], dict[str, str], type[Exception], str]] = {
    "not there": (["vfs_write"], {"a.c": READ}, BadSource,
                  r"a\.c has no function 'vfs_write'.*livepatch_vfs_read"),
    "not one": (["vfs_read"], {"a.c": "int x;"}, BadSource,
                r"a\.c has no function 'vfs_read', nor any other$"),
    "twice": (["vfs_read"], {"a.c": READ, "b.c": READ}, BadSource,
              r"vfs_read has 2 replacements: livepatch_vfs_read in a\.c and .* in b\.c"),
    "both names": (["vfs_write"], {"a.c": WRITE + "long livepatch_vfs_write(void) { return 0; }"},
                   BadSource, "vfs_write in a.c and livepatch_vfs_write in a.c"),
    "a spare file": (["vfs_read"], {"a.c": READ, "b.s": "ret"}, BadAssembly,
                     r"0 functions not in a\.c, and 1 file of assembly: each takes one"),
    "a spare function": (["vfs_read", "vfs_write"], {"b.s": "ret"}, BadAssembly,
                         "2 functions vfs_read, vfs_write to replace, and 1 file of assembly"),
    "named twice": (["vfs_read", "vfs_read"], {"a.c": READ}, PokeError, "vfs_read is named twice"),
    "unknown": (["vfs_raed"], {"a.c": READ}, BadSymbol, "did you mean vfs_read"),
    "without a site": (["exc_int3"], {"a.c": READ}, NoSite, "'exc_int3' has no site"),
    "another type": (["vfs_read"], {"a.c": "int livepatch_vfs_read(void) { return 1; }"}, BadSource,
                     r"int \(void\), but the kernel's vfs_read is long int \(struct file \*, ch"),
    "a narrower one": (["vfs_read"], {"a.c": READ.replace("size_t n", "u32 n")}, BadSource,
                       r"unsigned int\), but"),
    "one that returns less": (["vfs_read"], {"a.c": READ.replace("static long", "int")}, BadSource,
                              r"is int \(struct file"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_paired_is_said(idle: Lab, tmp_path: Path, what: str) -> None:
    functions, texts, error, says = REFUSED[what]
    files = [write(tmp_path, text, name) for name, text in texts.items()]
    with pytest.raises(error, match=says):
        idle.load(functions, files)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (READ.replace("-EINVAL", "vfs_read(f, buf, n - 1) + 1"),
         "fix.c: warning: livepatch_vfs_read calls vfs_read, which leads back here"),
        (READ.replace("static long livepatch_", "long ").replace("-EINVAL", "vfs_read(f, buf, n)"),
         "fix.c: warning: vfs_read calls vfs_read, which leads back here"),
        ("struct inode; long vfs_read(struct inode *f, char *b, unsigned long n) { return 0; }",
         "fix.c: warning: vfs_read is long int (struct inode *, char *, long unsigned int), but"),
        (READ.replace("return", "int x; return"), "unused variable"),
    ],
)  # fmt: skip
def test_what_is_only_warned_of(idle: Lab, tmp_path: Path, text: str, says: str) -> None:
    told: list[str] = []
    idle.load(["vfs_read"], [write(tmp_path, text)], warn=told.append)
    assert says in "\n".join(told)


def test_nothing_is_warned_of_without_a_reason(idle: Lab, tmp_path: Path) -> None:
    told: list[str] = []
    add: Callable[[str], None] = told.append
    text = READ.replace("return -EINVAL", "return vfs_write(f, buf, n)")
    idle.load(["vfs_read"], [write(tmp_path, text)], warn=add)
    idle.load(["ring_write"], [PATCHES / "ring_write.c"], warn=add)
    assert told == []


def test_c_by_another_name_is_told_from_assembly(idle: Lab, tmp_path: Path) -> None:
    with pytest.raises(BadAssembly, match=r"; if it is C, let its name end in \.c$"):
        idle.load(["vfs_write"], [write(tmp_path, WRITE, "fix")])
    with pytest.raises(BadAssembly, match=r"new\.s:2: invalid mnemonic: 'movv eax, 1'$"):
        idle.load(["vfs_write"], [write(tmp_path, "# as in C\nmovv eax, 1\nret\n", "new.s")])


def test_a_file_that_fails_takes_no_room(idle: Lab, tmp_path: Path) -> None:
    def place() -> int:
        (redirect,) = idle.load(["vfs_read"], [write(tmp_path, READ)])
        return redirect.replacement

    first = place()
    bad = write(tmp_path, READ + "int prinkt(void); int f(void) { return prinkt(); }", "bad.c")
    with pytest.raises(BadSymbol):
        idle.load(["vfs_read"], [bad])
    second = place()
    assert place() - second == second - first


def test_variables_of_a_replacement_are_read_by_name(tmp_path: Path) -> None:
    counts = READ.replace("static long", "static u64 reads;\nlong").replace(
        "livepatch_vfs_read(struct file *f, char *buf, size_t n) {",
        "vfs_read(struct file *f, char *buf, size_t n) { reads++;",
    )
    lab = loaded(cores=2)
    lab.patch_in(lab.load(["vfs_read"], [write(tmp_path, counts)]))
    lab.run(instructions=200_000)
    reads = lab.objects_of("fix.c")["reads"]
    assert isinstance(reads, Number)
    assert reads > 10
    with pytest.raises(TextpokeError, match=r"no replacement from 'b\.c' .*: there is fix\.c$"):
        lab.objects_of("b.c")
