"""Text as its definition says, by brute force: what docs/fetch-models.md writes, and no more.

A core may see a byte as it was at any integer time from its floor, and from its own last store to
it, to now; the model restricts which times may be combined in one fetch.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Text:
    """RAM with its history, and one floor for each core."""

    ram: bytearray
    cores: int
    model: str
    now: int = 0
    stores: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)  # time, at, old, new
    by: dict[int, int] = field(default_factory=dict)  # time: the core that stored, or -1
    floors: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.floors = [0] * self.cores

    def store(self, address: int, data: bytes, core: int = -1) -> bool:
        """Let a core, or nobody, store within a word; returns whether that made a version."""
        old = bytes(self.ram[address : address + len(data)])
        self.ram[address : address + len(data)] = data
        if old == data:
            return False
        self.now += 1
        self.stores.append((self.now, address, old, data))
        self.by[self.now] = core
        return True

    def serialise(self, core: int) -> None:
        self.floors[core] = self.now

    def byte(self, address: int, time: int) -> int:
        """Return a byte as it was at a time."""
        value = self.ram[address]
        for at, start, old, _ in reversed(self.stores):
            if at > time and start <= address < start + len(old):
                value = old[address - start]
        return value

    def alive(self) -> list[int]:
        """Return the times of the stores that some core has not passed."""
        return [time for time, _, _, _ in self.stores if time > min(self.floors)]

    def first(self, core: int, address: int) -> int:
        """Return the time from which on a core may see a byte."""
        unit = range(address & ~7, (address & ~7) + 8) if self.model == "observed" else [address]
        own = [
            time
            for time, start, old, _ in self.stores
            if self.by[time] == core and any(start <= byte < start + len(old) for byte in unit)
        ]
        return max([self.floors[core], *own])

    def times(self, core: int, address: int) -> range:
        return range(self.first(core, address), self.now + 1)

    def versions(self, core: int, address: int) -> list[int]:
        """Return what the byte was, newest first, repeated values included if not adjacent."""
        seen = [self.byte(address, time) for time in reversed(self.times(core, address))]
        return [value for value, _ in itertools.groupby(seen)]

    def age(self, address: int, time: int) -> int:
        """Return the version that was there at a time."""
        later = [self.byte(address, t) for t in range(time, self.now + 1)]
        return sum(1 for one, other in itertools.pairwise(later) if one != other)

    def moments(self, core: int, addresses: list[int]) -> Iterator[tuple[int, ...]]:
        """Yield every combination of times the model allows for these bytes."""
        times = [self.times(core, address) for address in addresses]
        match self.model:
            case "coherent":
                yield (self.now,) * len(addresses)
            case "observed":
                words = sorted({address >> 3 for address in addresses})
                for chosen in itertools.product(*(self.times(core, word << 3) for word in words)):
                    at = dict(zip(words, chosen, strict=True))
                    yield tuple(at[address >> 3] for address in addresses)
            case "intel2010":
                yield from (
                    moment
                    for moment in itertools.product(*times)
                    if moment == tuple(sorted(moment))
                )
            case _:
                yield from itertools.product(*times)

    def allowed(self, core: int, addresses: list[int]) -> set[tuple[int, ...]]:
        """Return the ages of these bytes that one fetch may combine."""
        return {
            tuple(self.age(*pair) for pair in zip(addresses, moment, strict=True))
            for moment in self.moments(core, addresses)
        }

    def whole(self, core: int, addresses: list[int], length: int) -> list[bytes]:
        """Return the bytes that were there together, at each time the core may see.

        length: of the instruction that is there now; its own stores to it a core has seen.
        """
        first = max(self.first(core, address) for address in addresses[:length])
        return [
            bytes(self.byte(address, time) for address in addresses)
            for time in range(first, self.now + 1)
        ]
