"""ORC tables of the stock kernels there are."""

from emu.guest.orc_code import SWITCH
from emu.guest.orc_frames import OrcFrames
from emu.image.frame_rules import RSP
from emu.image.linux_image import LinuxImage
from emu.image.orc import OrcTable
from emu.image.orc_layout import OrcLayout


def test_type_information_and_entries_tell_the_same_layout(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        table = OrcTable.of(image)
        assert OrcLayout.of(image.types["struct orc_entry"]) == table.layout
        assert OrcLayout.guess(table._entries["flags"]) == table.layout


def test_every_function_is_entered_with_its_return_address_on_top(
    linuxes: list[LinuxImage],
) -> None:
    """Of those that ftrace can trace, which are C: where their site is, nothing was pushed.

    objtool leaves out a handful whose end it does not find.
    """
    for image in linuxes:
        table = OrcTable.of(image)
        found = [table.at(site) for site in image.sites.all]
        known = [rules for rules in found if rules is not None]
        assert len(found) - 10 < len(known)
        assert {(each.base, each.cfa.value, each.signal_frame) for each in known} == {
            (RSP, 8, False)
        }


def test_a_task_goes_on_in_the_function_that_switches(linuxes: list[LinuxImage]) -> None:
    """It has pushed six registers there, and its return address is above them."""
    for image in linuxes:
        table = OrcTable.of(image)
        pc = OrcFrames(table, image).resuming(0).pc
        rules = table.at(pc)
        assert image.symbols.describe(pc).startswith(f"{SWITCH}+")
        assert rules is not None
        assert (rules.base, rules.cfa.value) == (RSP, 7 * 8)
