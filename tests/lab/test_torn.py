from emu.detect.finding import Finding
from emu.lab.torn import Store, Torn

FINDING = Finding("torn", 1, 685_730_015, None, bytes.fromhex("0f1fb6003e"), 0x1000)
STORES = (
    Store(685_676_573, 0, 0, b"\x0f", b"\xcc"),
    Store(685_757_917, -1, 1, b"\x1f\x44", b"\x7b\xb6"),
)


def test_it_is_told_who_executed_what_and_which_stores_it_was_mixed_of() -> None:
    torn = Torn(FINDING, "vfs_read", STORES, None)
    first, *more = torn.lines()
    assert first.startswith(
        "core 1 executed torn bytes at vfs_read, 685.730015 ms: 0f 1f b6 00 3e  "
    )
    assert more == [
        "685.676573 ms  core 0 stored cc over 0f at +0",
        "685.757917 ms  the patcher stored 7b b6 over 1f 44 at +1",
    ]


def test_a_fault_that_froze_the_core_is_told() -> None:
    torn = Torn(FINDING, "vfs_read", (), 685_704_670)
    assert torn.lines()[1:] == ("685.704670 ms  a fault kept core 1 from serialising",)
