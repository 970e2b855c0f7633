import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import BadImage
from emu.image import bz_image
from emu.image.elf import ElfImage
from emu.image.linux_image import LinuxImage
from emu.image.sites import ENDBR64, SITE_SIZE
from emu.machine import linux_boot
from emu.machine.boot import Segment, load
from emu.machine.setup_header import MAGIC, START, SetupHeader
from tests.image.elf_builder import PHYSICAL, VIRTUAL, text
from tests.image.linux_builder import (
    BANNER,
    CODE,
    FORMATS,
    INIT_SIZE,
    PREFERRED,
    bzimage,
    deb,
    vmlinux,
)

MIB = 1 << 20


@pytest.mark.parametrize("form", FORMATS)
def test_a_kernel_is_unpacked_whatever_packed_it(form: str) -> None:
    image = LinuxImage("vmlinuz", bzimage(form=form))
    assert image.read_virtual(VIRTUAL, 16) == text()[:16]
    boot = image.boot_image
    assert (boot.name, boot.protocol, boot.entry) == ("vmlinuz", "linux", PHYSICAL)
    assert boot.segments == (Segment(PHYSICAL, text(), 0x80, executable=True),)
    assert SetupHeader(boot.setup_header).pref_address == PREFERRED


def test_package_bzimage_and_vmlinux_are_one_kernel() -> None:
    package = LinuxImage("k", deb(bzimage()))
    unpacked = LinuxImage("k", bzimage())
    bare = LinuxImage("k", vmlinux())
    assert package.boot_image == unpacked.boot_image
    assert bare.boot_image.segments == package.boot_image.segments
    assert bare.boot_image.entry == package.boot_image.entry
    # Its memory differs from the start: the header of a bare vmlinux is made up.
    assert bare.boot_image.sha256 != package.boot_image.sha256
    header = SetupHeader(bare.boot_image.setup_header)
    assert (header.pref_address, header.init_size) == (PHYSICAL, 0x80)


def test_a_file_is_what_its_bytes_say(tmp_path: Path) -> None:
    path = tmp_path / "kernel.txt"
    path.write_bytes(deb(bzimage()))
    image = LinuxImage.read(path)
    assert image.name == image.boot_image.name == "kernel.txt"
    assert image.sites.of("second") == VIRTUAL + 0x14


def test_relocations_behind_the_vmlinux_are_not_looked_at() -> None:
    image = LinuxImage("vmlinuz", bzimage(vmlinux() + struct.pack("<4I", 0, 0x81000000, 0, 1)))
    assert image.boot_image.segments == (Segment(PHYSICAL, text(), 0x80, executable=True),)


@pytest.mark.parametrize(("flags", "is_text"), [(5, True), (7, False), (6, False), (4, False)])
def test_text_is_what_nothing_is_stored_to(flags: int, is_text: bool) -> None:
    (segment,) = LinuxImage("v", vmlinux(flags=flags)).boot_image.segments
    assert segment.executable is is_text


def test_an_entry_may_be_a_link_address() -> None:
    assert LinuxImage("v", vmlinux(entry=VIRTUAL + 6)).boot_image.entry == PHYSICAL + 6


def test_the_decompressor_is_entered_at_its_64_bit_entry() -> None:
    file = bzimage()
    image = LinuxImage("vmlinuz", file)
    boot = image.with_initramfs(b"archive", bzimage=True).boot_image
    assert (boot.entry, boot.initramfs) == (PREFERRED + 0x200, b"archive")
    assert boot.segments == (Segment(PREFERRED, file[CODE:], INIT_SIZE),)
    assert boot.setup_header == file[START : 0x202 + 0x6A]


def test_no_setup_sects_means_four() -> None:
    file = bzimage(fields={0x1F1: ("B", 0)})
    boot = LinuxImage("vmlinuz", file).with_initramfs(b"", bzimage=True).boot_image
    assert boot.segments[0].data == file[CODE:]


def test_an_image_never_changes() -> None:
    image = LinuxImage("vmlinuz", bzimage())
    before = image.boot_image
    other = image.with_initramfs(b"archive")
    assert (image.boot_image, before.initramfs) == (before, b"")
    assert other.boot_image.initramfs == b"archive"
    assert other.boot_image.segments == before.segments
    assert other.symbols["first"].address == VIRTUAL


def test_what_is_started_has_a_digest_of_its_own() -> None:
    image = LinuxImage("vmlinuz", bzimage())
    digests = [
        image.with_initramfs(archive, bzimage=unpacks).boot_image.sha256
        for archive in (b"", b"a", b"b")
        for unpacks in (False, True)
    ]
    assert len({*digests, LinuxImage("v", vmlinux()).boot_image.sha256}) == 7
    assert image.with_initramfs(b"a").boot_image.sha256 == digests[2]


def test_a_vmlinux_has_no_decompressor() -> None:
    with pytest.raises(BadImage, match="a vmlinux has no decompressor: give the package"):
        LinuxImage("vmlinux", vmlinux()).with_initramfs(b"", bzimage=True)


def test_code_is_what_sections_say() -> None:
    image = LinuxImage("v", vmlinux(extra={".init": b"12345"}, extra_flags=4))
    assert [image.is_executable(at) for at in (0, 4, 5, VIRTUAL)] == [True, True, False, False]
    assert LinuxImage("v", vmlinux()).is_executable(VIRTUAL)  # no section says it


def test_the_machine_takes_it() -> None:
    image = LinuxImage("vmlinuz", bzimage()).with_initramfs(b"070701", bzimage=True)
    ram = bytearray(8 * MIB)
    assert load(image.boot_image, memoryview(ram), "quiet", 1) == linux_boot.BOOT_PARAMS
    assert ram[linux_boot.BOOT_PARAMS + 0x202 :][:4] == MAGIC
    with pytest.raises(BadImage, match=r"kernel up to 0x500000 and its initramfs .*--ram 38$"):
        load(image.boot_image, memoryview(ram)[: 5 * MIB], "quiet", 1)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({0x236: ("H", 0x7E)}, "32-bit processors.*XLF_KERNEL_64.*amd64"),
        ({0x206: ("H", 0x20B)}, "32-bit processors.*amd64"),
        ({0x234: ("B", 0)}, "without CONFIG_RELOCATABLE"),
        ({0x211: ("B", 0)}, "without CONFIG_RELOCATABLE"),
        ({0x258: ("Q", 0)}, "damaged"),
        ({0x258: ("Q", 1 << 63)}, "damaged"),
        ({0x260: ("I", 100)}, "damaged"),
        ({0x1F1: ("B", 255)}, "damaged: 0 bytes of code"),
        ({0x248: ("I", 1 << 30)}, "truncated: 0 of"),
        ({0x24C: ("I", 1 << 30)}, "truncated"),
        ({0x24C: ("I", 0)}, "truncated"),
        ({0x24C: ("I", 40)}, "cannot be unpacked"),
    ],
)
def test_a_kernel_that_lacks_something_says_what(
    fields: dict[int, tuple[str, int]], says: str
) -> None:
    with pytest.raises(BadImage, match=f"^vmlinuz: .*{says}"):
        LinuxImage("vmlinuz", bzimage(fields=fields))


@pytest.mark.parametrize("form", FORMATS)
def test_a_kernel_that_is_cut_says_so(form: str) -> None:
    with pytest.raises(BadImage, match=r"^vmlinuz: truncated: \d+ of \d+ bytes of the kernel"):
        LinuxImage("vmlinuz", bzimage(form=form, cut=1))


@pytest.mark.parametrize("form", FORMATS[1:])
@pytest.mark.parametrize("more", [-1, 1])
def test_the_size_that_was_appended_has_to_be_right(form: str, more: int) -> None:
    kernel = vmlinux()
    with pytest.raises(BadImage, match="unpack"):
        LinuxImage("vmlinuz", bzimage(kernel, form, size=len(kernel) + more))


def test_a_kernel_that_would_take_too_much_memory_is_not_unpacked() -> None:
    with pytest.raises(BadImage, match="over 512 MiB"):
        LinuxImage("vmlinuz", bzimage(form="xz", size=bz_image.MAX_VMLINUX + 1))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (vmlinux(machine=3), "32-bit processors: take one for amd64"),
        (vmlinux(elf_class=1), "32-bit processors"),
        (vmlinux(machine=183), "another architecture"),
        (vmlinux(entry=5), "its entry 0x5 outside the segments"),
        (vmlinux(memsz=0, code=b""), "no segment to load"),
        (vmlinux()[: -len(BANNER)], "no Linux kernel: start it with textpoke run"),
        (bytes(0x38) + b"ARM\x64" + bytes(100), "another architecture than x86: give .* amd64"),
        (bytes(0x38) + b"RSC\x05" + bytes(100), "another architecture than x86"),
        (b"MZ\0\0zimg", "another architecture than x86"),
        (b"\x1f\x8b\x08", "compressed with gzip, and no bzImage: give .* amd64"),
        (b"MZ hello", "neither a bzImage .* nor a vmlinux: give a linux-image package"),
        (b"", "neither a bzImage"),
        (deb(b"nothing"), "neither a bzImage"),
    ],
)
def test_what_is_no_kernel_says_what_it_is(data: bytes, says: str) -> None:
    with pytest.raises(BadImage, match=f"^file: .*{says}"):
        LinuxImage("file", data)


def test_other_images_are_read_as_before() -> None:
    with pytest.raises(BadImage, match="no PVH note"):
        ElfImage("vmlinux", vmlinux())


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_bzimage_is_a_bad_image(data: st.DataObject) -> None:
    whole = bytearray(bzimage(form=data.draw(st.sampled_from(["gzip", "lz4", "zstd"]))))
    interesting = st.one_of(st.integers(0x1F1, 0x26C), st.integers(0, len(whole) - 1))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(interesting)] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadImage):
        image = LinuxImage("v", bytes(whole[: data.draw(st.integers(0, len(whole)))]))
        load(image.boot_image, memoryview(bytearray(4 * MIB)), "", 1)


def test_stock_kernels_are_read(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        boot = image.boot_image
        entry = image.link_address(boot.entry)
        assert entry is not None
        assert image.is_executable(entry)
        assert image.section_at(entry) == ".text"
        last = image.link_address(boot.segments[-1].end - 1)
        assert last is not None
        assert not image.is_executable(last)  # though its segment says so
        ram = memoryview(bytearray(128 * MIB))
        load(boot, ram, "quiet", 2)
        for segment in boot.segments:
            assert ram[segment.paddr : segment.paddr + 64] == segment.data[:64]


def test_every_site_of_a_stock_kernel_calls_fentry(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        fentry = image.symbols["__fentry__"].address
        assert len(image.sites) > 30_000
        for site in image.sites.all:
            opcode, distance = struct.unpack("<Bi", image.read_virtual(site, SITE_SIZE))
            assert (opcode, site + SITE_SIZE + distance) == (0xE8, fentry)
        read = image.symbols["vfs_read"].address
        assert image.sites.of("vfs_read") - read in (0, len(ENDBR64))
