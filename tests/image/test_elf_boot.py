"""By which protocol a file boots, and from where: the choices of QEMU, and what it refuses."""

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emu.errors import BadImage
from emu.image.elf import ElfImage
from emu.image.multiboot_header import find
from emu.machine.boot import BootImage, Segment, load
from tests.image.elf_builder import PHYSICAL, VIRTUAL, Builder, multiboot, note, text

CODE_AT = 52 + 2 * 32
"""Where the code of the built ELF32 file begins in the file."""

EM_386, EM_X86_64 = 3, 62


def boot(builder: Builder) -> BootImage:
    return ElfImage("k.elf", builder.build()).boot_image


def elf32(
    header: bytes = b"", notes: bytes = b"", machine: int = EM_386, entry: int = VIRTUAL + 4
) -> Builder:
    """Return an ELF32 kernel whose code is followed by a Multiboot header."""
    code = text() + header
    return Builder(
        code, memsz=0x200, notes=notes, symbols=(), machine=machine, elf_class=1, entry=entry
    )


def by_address(*addresses: int, flags: int = 1 << 16) -> Builder:
    """Return an ELF32 kernel with a Multiboot header that has addresses, 0x40 into the code."""
    return elf32(multiboot(flags, *addresses))


def test_a_multiboot_kernel_starts_at_its_entry() -> None:
    image = boot(elf32(multiboot()))
    assert (image.protocol, image.entry) == ("multiboot", PHYSICAL + 4)
    assert image.segments == (Segment(PHYSICAL, text() + multiboot(), 0x200),)


def test_an_entry_may_be_a_physical_address() -> None:
    assert boot(elf32(multiboot(), entry=PHYSICAL + 8)).entry == PHYSICAL + 8


def test_an_entry_outside_the_segments_is_refused() -> None:
    with pytest.raises(BadImage, match="entry 0x300000 outside the segments"):
        boot(elf32(multiboot(), entry=0x300000))


def test_elf32_boots_by_pvh_too() -> None:
    image = boot(elf32(notes=note(PHYSICAL + 2)))
    assert (image.protocol, image.entry) == ("pvh", PHYSICAL + 2)
    assert boot(elf32(notes=note(), machine=EM_X86_64)).protocol == "pvh"


def test_multiboot_is_preferred_where_qemu_takes_it() -> None:
    assert boot(elf32(multiboot(), note())).protocol == "multiboot"


@pytest.mark.parametrize("elf_class", [1, 2])
def test_x86_64_with_both_boots_by_pvh(elf_class: int) -> None:
    """QEMU 7.2 refuses it: "Cannot load x86-64 image, give a 32bit one."."""
    built = Builder(text() + multiboot(), elf_class=elf_class, symbols=())
    assert boot(built).protocol == "pvh"


def test_x86_64_with_a_multiboot_header_alone_is_refused() -> None:
    with pytest.raises(BadImage, match=r"x86-64 .* objcopy -O elf32-i386$"):
        boot(Builder(text() + multiboot(), notes=b""))


def test_multiboot_2_alone_is_refused() -> None:
    header = struct.pack("<4I", 0xE85250D6, 0, 16, -(0xE85250D6 + 16) % (1 << 32))
    at = -(CODE_AT + len(text())) % 8
    with pytest.raises(BadImage, match="Multiboot 2 header only"):
        boot(elf32(bytes(at) + header))


def test_addresses_in_the_header_overrule_elf() -> None:
    where = 0x100000 + 0x40  # of the header, if the code is loaded at 1 MiB
    image = boot(by_address(where, 0x100000, 0x100050, 0x100100, 0x100004))
    data = (text() + multiboot(1 << 16))[:0x50]
    data = data[:0x4C] + struct.pack("<I", where)
    assert (image.protocol, image.entry) == ("multiboot", 0x100004)
    assert image.segments == (Segment(0x100000, data, 0x100),)


def test_without_ends_the_rest_of_the_file_is_loaded() -> None:
    built = by_address(0x100040, 0x100000, 0, 0, 0x100000)
    image = boot(built)
    assert image.segments[0].data == built.build()[CODE_AT:]
    assert image.segments[0].memsz == len(image.segments[0].data)


@pytest.mark.parametrize("machine", [EM_386, EM_X86_64])
def test_addresses_make_a_64_bit_file_bootable(machine: int) -> None:
    code = text() + multiboot(1 << 16, 0x100040, 0x100000, 0x100010, 0, 0x100000)
    assert boot(Builder(code, machine=machine, symbols=())).protocol == "multiboot"


def test_addresses_make_bare_bytes_bootable() -> None:
    """As nasm -f bin and objcopy -O binary make them."""
    data = multiboot(1 << 16, 0x100000, 0x100000, 0x100040, 0x100200, 0x100030) + bytes(64)
    image = ElfImage("k.bin", data)
    boots = image.boot_image
    assert (boots.protocol, boots.entry) == ("multiboot", 0x100030)
    assert boots.segments == (Segment(0x100000, data[:0x40], 0x200),)
    assert image.read_virtual(0x100000, 4) == data[:4]
    assert image.link_address(0x100040) == 0x100040
    assert not image.symbols


def test_bare_bytes_without_addresses_are_refused() -> None:
    with pytest.raises(BadImage, match="not an ELF file, and without a Multiboot header that has"):
        ElfImage("k.bin", multiboot() + bytes(64))


@pytest.mark.parametrize("shift", [-4, 0, 0x3C])
def test_bare_bytes_that_cannot_be_are_refused(shift: int) -> None:
    data = multiboot(1 << 16, 0x100000, 0x100000 + shift, 0x100000 + shift, 0, 0x100000)
    with pytest.raises(BadImage, match="not in the file"):
        ElfImage("k.bin", data)


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        ((0x100040, 0x100041, 0, 0, 0x100041), "that is not in the file"),
        ((0x101000, 0x100000, 0, 0, 0x100000), "that is not in the file"),
        ((0x100040, 0x100000, 0x200000, 0, 0x100000), "loads 1048576 bytes: they are not in"),
        ((0x100040, 0x100000, 0xFFFFF, 0, 0x100000), "loads -1 bytes"),
        ((0x100040, 0x100000, 0x100000, 0, 0x100000), "loads 0 bytes"),
        ((0x100040, 0x100000, 0x100050, 0x10004F, 0x100000), "bss ends before"),
        ((0x100040, 0x100000, 0x100050, 0, 0x100050), "entry 0x100050 outside"),
        ((0x100040, 0x100000, 0x100050, 0, 0xFFFFF), "entry 0xfffff outside"),
    ],
)
def test_addresses_that_cannot_be_are_refused(addresses: tuple[int, ...], message: str) -> None:
    with pytest.raises(BadImage, match=message):
        boot(by_address(*addresses))


def test_unaligned_and_wrong_headers_are_passed_over() -> None:
    wrong = multiboot()[:-1] + b"\0"
    assert find(b"\0" + multiboot() + bytes(3) + wrong + multiboot(7))
    found = find(b"\0" + multiboot() + bytes(3) + wrong + multiboot(7))
    assert found is not None
    assert (found.offset, found.flags, found.has_addresses) == (28, 7, False)
    assert find(wrong) is None
    assert find(b"") is None


@pytest.mark.parametrize(("at", "seen"), [(8192 - 52, True), (8192 - 48, False), (8192, False)])
def test_the_header_has_to_lie_in_the_first_8192_bytes(at: int, seen: bool) -> None:
    assert (find(bytes(at) + multiboot()) is not None) == seen


def test_64_bit_code_in_elf32_has_symbols_and_sites() -> None:
    """As objcopy -O elf32-i386 makes it of a kernel that is linked below 4 GiB."""
    low = VIRTUAL & 0xFFFFFFFF
    code = text()[:0x30] + struct.pack("<2Q", low, low + 0x14) + multiboot()
    image = ElfImage("k.elf", Builder(code, machine=EM_386, elf_class=1).build())
    assert image.boot_image.protocol == "multiboot"
    assert image.symbols["second"].address == low + 0x10
    assert image.symbols.describe(low + 0x11) == "second+0x1"
    assert image.sites.functions == {"first": low, "second": low + 0x14}
    assert image.read_virtual(low, 2) == text()[:2]
    assert image.is_executable(low)


def read(data: bytes) -> BootImage | None:
    """Return what an image boots as, or None if it is refused, in one line, at the latest when
    it is to be placed in RAM.
    """
    try:
        image = ElfImage("k.elf", data)
        _ = (image.symbols, image.sites)
        load(image.boot_image, memoryview(bytearray(4 << 20)), "", 1)
    except BadImage as error:
        refusal = str(error)
    else:
        return image.boot_image
    assert "\n" not in refusal
    return None


words = st.sampled_from([0, 1, 0x100000, 0x100040, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])


@pytest.mark.parametrize("elf_class", [1, 2])
def test_a_multiboot_kernel_at_the_end_of_32_bits_is_refused(elf_class: int) -> None:
    built = Builder(
        text() + multiboot(),
        paddr=0xFFFFFF00, memsz=0x1000, notes=b"", symbols=(), machine=EM_386,
        elf_class=elf_class,
    )  # fmt: skip
    with pytest.raises(BadImage, match=r"lies outside the 4 MiB of RAM$"):
        load(boot(built), memoryview(bytearray(4 << 20)), "", 1)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 17), st.lists(words | st.integers(0, 2**32 - 1), max_size=9))
def test_any_multiboot_header_is_read_or_refused(flags: int, addresses: list[int]) -> None:
    data = elf32(multiboot(flags, *addresses)).build()
    image = read(data)
    if image is None:
        return
    assert image.protocol == "multiboot"
    segment = next(each for each in image.segments if each.paddr <= image.entry < each.end)
    assert image.entry - segment.paddr < len(segment.data)
    assert all(each.data in data and len(each.data) <= each.memsz for each in image.segments)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
    st.floats(0, 1),
)
def test_a_mutated_elf32_kernel_is_read_or_refused(
    changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(elf32(multiboot(), note()).build())
    for where, value in changes:
        data[int(where * len(data))] = value
    for some in (data, data[: int(cut * len(data))]):
        read(bytes(some))


@pytest.mark.parametrize("wide", [False, True])
def test_extreme_fields_are_read_or_refused(wide: bool) -> None:
    whole = elf32(multiboot(), note())
    whole.elf_class = 2 if wide else 1
    built = whole.build()
    for at in range(16, 64 + 2 * 56, 2):
        for value in (0, 1, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 63, (1 << 64) - 1):
            data = bytearray(built)
            data[at : at + 8] = value.to_bytes(8, "little")
            read(bytes(data))
