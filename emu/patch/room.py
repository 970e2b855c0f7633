"""Memory that a kernel provides for patches, given out from its start, and never taken back."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of it. name: of its symbol. start: the first free byte. end: behind the last."""

    name: str
    start: int
    end: int

    def aligned(self, align: int) -> "Room":
        """Return the room that begins at the next multiple of a power of two."""
        return replace(self, start=-(-self.start // align) * align)

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return max(0, self.end - self.start)

    def behind(self, address: int) -> "Room":
        """Return the room that begins at an address."""
        return replace(self, start=address)
