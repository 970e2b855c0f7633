from emu.detect.finding import Finding
from emu.detect.kernel_fetches import Harmless
from emu.lab.lost_syncs import lost_syncs
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
        "685.676573 ms  core 0 stored cc over 0f, byte 0 of it",
        "685.757917 ms  the patcher stored 7b b6 over 1f 44, byte 1 of it",
    ]


def test_a_fault_that_froze_the_core_is_told_in_its_place() -> None:
    torn = Torn(FINDING, "vfs_read", STORES, 685_704_670)
    assert torn.lines()[2] == "685.704670 ms  a fault kept core 1 from serialising"
    assert [line.partition(" ms")[0] for line in torn.lines()[1:]] == [
        "685.676573",
        "685.704670",
        "685.757917",
    ]


def test_an_int3_that_the_kernel_died_of_is_told_as_such() -> None:
    finding = Finding("unhandled int3", 1, 685_730_015, None, b"\xcc", 0x1000)
    (line,) = Torn(finding, "vfs_read", (), None).lines()
    assert line.startswith("core 1 executed a stale int3 at vfs_read, 685.730015 ms: no handler")


def test_what_became_of_lost_syncs_is_a_sentence() -> None:
    harmless: dict[tuple[int, Harmless], int] = {(1, "whole"): 1, (1, "acted out"): 2000}
    assert lost_syncs(0, 1, harmless) == (
        "core 0 lost a sync; without harm it then executed nothing that was stale"
    )
    assert lost_syncs(1, 1234, harmless) == (
        "core 1 lost 1,234 syncs; without harm it then executed an old instruction that was whole, "
        "once; a stale int3 that the handler of text_poke acted out, 2,000 times"
    )
