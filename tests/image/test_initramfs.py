import contextlib
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import BadImage
from emu.image import cpio, initramfs
from tests.image.linux_builder import FORMATS, pack

ARCHIVE = cpio.write([cpio.file("init", b"\x7fELF and more", 0o755)])


def test_ours_has_a_console_and_a_script() -> None:
    archive = initramfs.build(b"\x7fELF", b"echo hello\n")
    found = {entry.name: entry for entry in cpio.read(archive)}
    assert list(found) == ["dev", "dev/console", "init", "script"]
    assert stat.S_ISDIR(found["dev"].mode)
    assert stat.S_ISCHR(found["dev/console"].mode)
    assert found["dev/console"].device == (5, 1)
    assert found["init"] == cpio.file("init", b"\x7fELF", 0o755)
    assert found["script"].data == b"echo hello\n"
    initramfs.check("ours", archive)


def test_without_a_script_there_is_none() -> None:
    assert "script" not in {entry.name for entry in cpio.read(initramfs.build(b"\x7fELF"))}


def test_a_file_has_the_directories_it_lies_in_before_it() -> None:
    archive = initramfs.build(b"i", files={"/lib/modules/a.ko": b"1", "lib/b": b"2"})
    names = [entry.name for entry in cpio.read(archive)]
    assert names == [
        "dev", "dev/console", "init", "lib", "lib/b", "lib/modules", "lib/modules/a.ko",
    ]  # fmt: skip


def test_the_order_of_files_makes_no_difference() -> None:
    files = {"/b": b"1", "/a": b"2"}
    assert initramfs.build(b"", files=files) == initramfs.build(
        b"", files=dict(reversed(files.items()))
    )


@pytest.mark.parametrize("path", ["/", "", "/../x", "a/../../x", "/a\0b", "/" + "x" * 5000])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(BadImage, match=r"^initramfs: "):
        initramfs.build(b"", files={path: b""})


@pytest.mark.parametrize("path", ["init", "//init", "/dev/console", "/./script"])
def test_a_path_is_taken_once(path: str) -> None:
    with pytest.raises(BadImage, match="two files for"):
        initramfs.build(b"", b"echo", files={path: b""})


def test_a_file_is_no_directory() -> None:
    with pytest.raises(BadImage, match=r"/init cannot be a file and hold /init/x"):
        initramfs.build(b"", files={"/init/x": b""})


@pytest.mark.parametrize("form", FORMATS)
def test_a_users_may_be_compressed(form: str) -> None:
    initramfs.check("mine", pack(ARCHIVE, form))


@pytest.mark.parametrize(
    "data",
    [
        ARCHIVE,
        ARCHIVE + bytes(512),
        ARCHIVE + ARCHIVE,
        ARCHIVE + bytes(508) + pack(ARCHIVE + bytes(4) + ARCHIVE, "xz"),  # microcode comes first
        pack(ARCHIVE, "gzip") + pack(ARCHIVE, "zstd") + bytes(3),
        bytes(4) + ARCHIVE,
        b"\x89LZO\0\r\n",  # the kernel's to unpack
    ],
)
def test_what_the_kernel_takes_is_taken(data: bytes) -> None:
    initramfs.check("mine", data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (bytes(64), "it is empty"),
        (b"\x7fELF", "no cpio archive .* at byte 0"),
        (b"070707" + bytes(200), "no cpio archive .* at byte 0"),
        (ARCHIVE + b"junk", f"no cpio archive .* at byte {len(ARCHIVE)}"),
        (bytes(1) + ARCHIVE, "at byte 1 does not begin at a multiple of 4"),
        (ARCHIVE[:-30], "is cut"),
        (pack(ARCHIVE, "gzip")[:-9], "is cut"),
        (pack(ARCHIVE, "xz")[:-20], "is cut"),
        (pack(ARCHIVE, "zstd")[:-1], "is cut"),
        (pack(ARCHIVE + b"junk", "gzip"), "what was unpacked has no cpio archive"),
        (pack(pack(ARCHIVE, "gzip"), "gzip"), "what was unpacked has no cpio archive"),
        (pack(b"", "gzip"), "it is empty"),
    ],
)
def test_what_the_kernel_would_refuse_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(BadImage, match=f"^mine: not an initramfs that the kernel takes: .*{says}"):
        initramfs.check("mine", data)


def test_all_that_is_unpacked_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pack(cpio.write([cpio.file("a", bytes(4000))]), "gzip")
    monkeypatch.setattr(initramfs, "MAX_UNPACKED", 10_000)
    initramfs.check("mine", packed * 2)
    with pytest.raises(BadImage, match="gzip data unpacks to over"):
        initramfs.check("mine", packed * 3)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_one_is_a_bad_image(data: st.DataObject) -> None:
    whole = bytearray(ARCHIVE + bytes(8) + pack(ARCHIVE, "gzip") + pack(ARCHIVE, "lz4"))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadImage):
        initramfs.check("mine", bytes(whole[: data.draw(st.integers(0, len(whole)))]))
