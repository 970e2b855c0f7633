import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from emu import resources
from emu.cli import linux_get
from emu.lab import COMMAND_LINE
from emu.moves.schedule import Schedule
from tests.cli.conftest import Command, Said
from tests.cli.linux_kernel import EXIT_3, LATER, OFF, RESET, SPIN, kernel
from tests.image.linux_builder import bzimage, deb

PROMPT = b"init: commands from the console\r\ninit# "


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where a kernel would be kept; there is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "textpoke" / "linux"


# --- how a run ends -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "end", "status"),
    [
        (b"up\r\n", OFF, 0),
        (b"up\r\n", RESET, 0),
        (b"up\r\n", EXIT_3, 7),
        (b"init: script done\r\n" + PROMPT, SPIN, 0),
        (b"init: script failed\r\n" + PROMPT, SPIN, 3),
        (b"init: script failed\r\n", OFF, 3),
        (b"Kernel panic - not syncing: No init found.\r\n", RESET, 4),
    ],
)
def test_the_status_says_how_it_ended(
    textpoke: Command, tmp_path: Path, said: bytes, end: str, status: int
) -> None:
    ended = textpoke("linux", kernel(tmp_path, said, end), "--ram", 64)
    assert (ended.status, ended.out) == (status, said), ended
    assert ("not syncing: No init found." in ended.err) == (status == 4)


def test_without_a_prompt_its_bound_ends_it(textpoke: Command, tmp_path: Path) -> None:
    ended = textpoke("linux", kernel(tmp_path, b"init: up\r\n", SPIN), "--steps", "2e6")
    assert ended.status == 6
    assert "--steps raises the bound" in ended.err


def test_a_text_of_the_user_is_waited_for_and_not_the_prompt(
    textpoke: Command, tmp_path: Path
) -> None:
    image = kernel(tmp_path, b"init# and more", SPIN)
    assert textpoke("linux", image, "--until", "more").out == b"init# and more"
    summary = json.loads(textpoke("linux", image, "--until", "ini", "--json").out)
    assert (summary["status"], summary["end"]) == (0, "text")


def test_somebody_else_s_prompt_ends_nothing(textpoke: Command, tmp_path: Path) -> None:
    """With an initramfs of one's own, nobody knows what its console says."""
    other = tmp_path / "initramfs"
    other.write_bytes(archive())
    image = kernel(tmp_path, b"init# more", OFF)
    assert textpoke("linux", image, "--initramfs", other).out == b"init# more"


def archive() -> bytes:
    from emu.image import cpio  # noqa: PLC0415 -- here alone

    return cpio.write([cpio.file("init", b"x", 0o755)])


def test_the_command_line_is_ours_and_then_the_user_s(textpoke: Command, tmp_path: Path) -> None:
    schedule = tmp_path / "run.json"
    textpoke("linux", kernel(tmp_path, b"", OFF), "--append", "quiet nokaslr", "--save", schedule)
    setup = Schedule.read(schedule).machine
    assert setup.command_line == f"{COMMAND_LINE} quiet nokaslr"
    assert (setup.cores, setup.ram_mib) == (2, 256)


def test_a_script_that_comes_with_textpoke_has_a_name(textpoke: Command, tmp_path: Path) -> None:
    """What it was started with, its digest tells."""
    image, digests = kernel(tmp_path, b"", OFF), set()
    oracle = resources.linux_script("oracle")
    for script in ("oracle", oracle, "every"):
        textpoke("linux", image, "--script", script, "--save", tmp_path / "run.json")
        digests.add(Schedule.read(tmp_path / "run.json").image.sha256)
    assert len(digests) == 2


# --- again --------------------------------------------------------------------------------------


def test_a_saved_run_is_made_again_with_what_it_was_started_with(
    textpoke: Command, tmp_path: Path
) -> None:
    image, schedule = kernel(tmp_path, b"up", OFF), tmp_path / "run.json"
    script = tmp_path / "script"
    script.write_text("poweroff\n")
    words = ("linux", image, "--script", script)
    first = textpoke(*words, "--seed", 3, "--save", schedule, "--hash")
    again = textpoke(*words, "--replay", schedule, "--hash")
    assert again.status == 0
    assert again.out.split()[-1] == first.out.split()[-1]
    assert again.out.startswith(b"the run ended in the state that the schedule says\n")
    script.write_text("echo\n")
    assert "another --script" in textpoke(*words, "--replay", schedule).refusal()
    assert "textpoke linux --replay" in textpoke("replay", schedule).refusal()
    assert "--cores" in textpoke(*words, "--replay", schedule, "--cores", 2).refusal()


def test_a_machine_goes_on_from_a_snapshot(textpoke: Command, tmp_path: Path) -> None:
    image = kernel(tmp_path, b"up", LATER)
    snapshot = tmp_path / "snapshot"
    first = textpoke("linux", image, "--until", "up", "--snapshot", snapshot, "--ram", 64)
    assert "textpoke linux --from" in first.err
    then = textpoke("linux", "--from", snapshot)
    assert (then.status, then.out) == (0, b"")
    assert "switched the machine off" in then.err
    other = kernel(tmp_path, b"other", OFF, "other")
    assert "is not that file" in textpoke("linux", other, "--from", snapshot).refusal()


@pytest.mark.parametrize(
    "given",
    [["--script", "x"], ["--with", "x"], ["--initramfs", "x"], ["--bzimage"], ["--ram", "64"]],
)
def test_what_a_snapshot_was_started_with_cannot_be_changed(
    textpoke: Command, tmp_path: Path, given: list[str]
) -> None:
    (tmp_path / "x").write_text("")
    words = [str(tmp_path / "x") if word == "x" else word for word in given]
    refusal = textpoke("linux", "--from", tmp_path / "none", *words).refusal()
    assert refusal.startswith(f"{given[0]} was decided when the machine was switched on")


# --- what is refused ----------------------------------------------------------------------------


def test_without_a_kernel_it_says_where_to_get_one(textpoke: Command) -> None:
    assert "textpoke linux get fetches one" in textpoke("linux").refusal()


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("--script", "{}/none"), "No such file"),
        (("--with", "{}/none"), "No such file"),
        (("--initramfs", "{}/none"), "No such file"),
        (("--initramfs", "{}/vmlinux"), "not an initramfs that the kernel takes"),
        (("--initramfs", "{}/vmlinux", "--script", "{}/vmlinux"), "put them into your own"),
        (("--bzimage",), "a vmlinux has no decompressor"),
        (("extra",), "only `get` takes a second word"),
        (("--hold", "core 0"), "is no hold: the form is"),
        (
            ("--hold", "core 0 while *nowhere == 1 until core 1 executes second"),
            "no symbol 'nowhere'",
        ),
        (("--fault", "lose sync 1 on core 2"), "no core 2: there are 2"),
        (("--fault", "lose sync 1 on core 1 of nowhere"), "no symbol 'nowhere'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    textpoke: Command, tmp_path: Path, words: tuple[str, ...], wrong: str
) -> None:
    image = kernel(tmp_path, b"", OFF)
    filled = [word.format(tmp_path) for word in words]
    assert wrong in textpoke("linux", image, *filled).refusal()


def test_a_script_has_a_bound(textpoke: Command, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(b"#" * ((128 << 10) + 1))
    refusal = textpoke("linux", kernel(tmp_path, b"", OFF), "--script", script).refusal()
    assert "over 128 KiB" in refusal


def test_a_script_whose_name_no_file_can_have_is_refused(textpoke: Command, tmp_path: Path) -> None:
    image = kernel(tmp_path, b"", OFF)
    for name in ("a" * 300, "a" * 300 + ".s"):
        refusal = textpoke("linux", image, "--script", name).refusal()
        assert refusal.endswith(f"{name}: File name too long")


# --- get ----------------------------------------------------------------------------------------

SEARCH = """\
linux-image-6.1.0-9-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)
linux-image-6.1.0-56-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)
linux-image-6.1.0-56-cloud-amd64-dbg - Debug symbols
linux-image-6.12-cloud-amd64 - Linux for x86-64 cloud (meta-package)
linux-image-6.12.9+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.12.117+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
"""

Apt = Callable[..., Path]


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """Return what makes an apt: it knows packages, and has the same file for each."""

    def make(search: str = SEARCH, package: bytes | None = None) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        (tmp_path / "search").write_text(search)
        (tmp_path / "package").write_bytes(deb(bzimage()) if package is None else package)
        download = f'cat "{tmp_path}/package" > "$4_1_amd64.deb"; echo "$4" >> "{tmp_path}/asked"'
        for name, does in (("apt-cache", f'cat "{tmp_path}/search"'), ("apt-get", download)):
            program = folder / name
            program.write_text(f"#!/bin/sh\n{does}\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return tmp_path / "asked"

    return make


def got(said: Said, name: str, cache: Path) -> bool:
    return said.status == 0 and said.out.decode() == f"{cache}/{name}_1_amd64.deb\n"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), "linux-image-6.1.0-56-cloud-amd64"),
        (("6.12",), "linux-image-6.12.117+deb12-cloud-amd64"),
        (("6.12.9",), "linux-image-6.12.9+deb12-cloud-amd64"),
        (("linux-image-6.1.0-56-amd64",), "linux-image-6.1.0-56-amd64"),
    ],
)
def test_get_fetches_the_newest_of_a_version(
    textpoke: Command, cache: Path, apt: Apt, words: tuple[str, ...], name: str
) -> None:
    asked = apt()
    said = textpoke("linux", "get", *words)
    assert got(said, name, cache), said
    assert asked.read_text() == f"{name}\n"
    assert [path.name for path in cache.iterdir()] == [f"{name}_1_amd64.deb"]


def test_what_get_keeps_is_what_is_booted(textpoke: Command, tmp_path: Path, apt: Apt) -> None:
    apt(package=deb(bzimage(kernel(tmp_path, b"kept", OFF).read_bytes())))
    assert textpoke("linux", "get").status == 0
    assert textpoke("linux", "--ram", 64).out == b"kept"


def test_where_apt_has_no_6_1_the_newest_is_taken(textpoke: Command, cache: Path, apt: Apt) -> None:
    apt("linux-image-6.12.9-cloud-amd64 - Linux\nlinux-image-6.16.3-cloud-amd64 - Linux\n")
    said = textpoke("linux", "get")
    assert got(said, "linux-image-6.16.3-cloud-amd64", cache)
    assert "apt offers no 6.1" in said.err


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("6.3",), "apt knows no linux-image-6.3*"),
        (("-o",), "No such option"),
        (("bash",), "no version of Linux"),
    ],
)
def test_a_package_that_is_not_to_be_had(
    textpoke: Command, apt: Apt, words: tuple[str, ...], wrong: str
) -> None:
    asked = apt()
    assert wrong in textpoke("linux", "get", *words).refusal()
    assert not asked.exists()


def test_an_apt_without_lists_is_to_be_updated(textpoke: Command, apt: Apt) -> None:
    apt("")
    assert "run apt-get update as root" in textpoke("linux", "get").refusal()


def test_what_is_no_kernel_is_not_kept(textpoke: Command, cache: Path, apt: Apt) -> None:
    apt(package=deb(bzimage(), name="./usr/share/doc"))
    said = textpoke("linux", "get")
    assert said.status == 2
    assert "has no boot/vmlinuz-" in said.err
    assert not list(cache.iterdir())


def test_without_apt_it_says_where_kernels_are(
    textpoke: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refusal = textpoke("linux", "get").refusal()
    assert "packages.debian.org" in refusal
    assert "linux-image-" in refusal


def test_versions_are_numbers() -> None:
    assert linux_get.numbers("6.1.0-56") > linux_get.numbers("6.1.0-9")
    assert linux_get.numbers("6.12.117+deb12") > linux_get.numbers("6.12")
