"""Names of addresses and instructions: those of the image, and of the code put beside it."""

from collections.abc import Callable, Sequence

from emu.guest.guest import Guest
from emu.image.disasm import Instruction, decode_one
from emu.image.elf import ElfImage
from emu.image.listing import operands
from emu.image.placed import Placed

_MOST = 1 << 16  # names kept


class Names:
    """Names what is at an address.

    placed: what a patcher has put into the kernel so far. What is found is kept, as it is asked for
    again in every scene; more that is placed makes it be found anew.
    """

    def __init__(self, image: ElfImage, placed: Callable[[], Sequence[Placed]]) -> None:
        self._image, self._all = image, placed
        self._guest: Guest | None = None
        self._placed: Sequence[Placed] = ()
        self._places: dict[int, str] = {}
        self._texts: dict[tuple[int, bytes], str] = {}

    def refresh(self, guest: Guest) -> int:
        """Look at what is placed by now. Returns how much that is: names last as long as it.

        guest: at the moment that names are for; it knows what the kernel itself has loaded.
        """
        self._guest, placed = guest, self._all()
        if len(placed) != len(self._placed) or len(self._texts) + len(self._places) > _MOST:
            self._places, self._texts = {}, {}
        self._placed = placed
        return len(placed)

    def placed(self, address: int) -> Placed | None:
        """Return what was placed at an address, the last of several."""
        return next((each for each in reversed(self._placed) if address in each), None)

    def place(self, address: int) -> str:
        """Return `vfs_read+0x5`, `livepatch: vfs_read+0x5`, or the address in hex."""
        if address not in self._places:
            placed = self.placed(address)
            if placed is None and self._guest and not self._image.is_executable(address):
                return self._guest.describe(address)  # it may be another's soon
            described = placed.describe if placed else self._image.symbols.describe
            self._places[address] = described(address)
        return self._places[address]

    def decoded(self, code: bytes, address: int) -> str:
        """Return the first instruction in some bytes as text, with names."""
        key = address, code
        if key not in self._texts:
            self._texts[key] = self.text(decode_one(code, address))
        return self._texts[key]

    def text(self, instruction: Instruction) -> str:
        """Return an instruction as text, with names; what a long nop pretends to read is left out.

        Source of the nops: SDM volume 2, NOP, table "Recommended Multi-Byte Sequence".
        """
        mnemonic, said = instruction.mnemonic, instruction.op_str
        if mnemonic == "nop":
            return mnemonic
        if said.startswith("0x") and said.strip("0123456789abcdefx") == "":
            address = int(said, 16)
            placed = self.placed(address)
            if placed is not None:
                return f"{mnemonic} {placed.symbols.describe(address)}"
            if self._guest is not None and not self._image.is_executable(address):
                return f"{mnemonic} {self._guest.describe(address)}"
        return f"{mnemonic} {operands(self._image, instruction)}".rstrip()
