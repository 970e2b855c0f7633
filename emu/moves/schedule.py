"""Schedules: a run on disk.

A run is its moves, so a recording, a homework file, a counterexample and a regression test are
the same small file: what was started, the patcher's plans, and segments of moves, either one by
one or as so many picks of a chooser that everybody can make again. It is self-contained: no
paths, no code, and reading one starts no compiler. JSON in short lines, so that people can read
and compare two of them; numbers beyond 53 bits are hex text, since many readers of JSON would
round them. "clock" is one of move.CLOCKS; "ns_per_instruction" is how much virtual time a retired
instruction takes, a constant of the machine.

    {"format": "textpoke schedule", "version": 1,
     "image": {"name": "toy.elf", "sha256": "..."},
     "machine": {"cores": 4, "ram_mib": 64, "command_line": "load", "model": "sdm",
                 "clock": "counted", "ns_per_instruction": 1},
     "bounds": {"instructions": 2000000000},
     "plans": [{"name": "patch vfs_read in", "steps": [...], "changes": [...]}],
     "segments": [{"moves": ["run 0 100", "fetch 1 2 1 1 1 1", "patch", "request 0"]},
                  {"chooser": "random", "seed": 7, "quantum": 100, "count": 5321}],
     "end": {"hash": "...", "verdict": "torn", "counts": {"calls": 12}}}

Segments are described in `segment`, steps in `plan_data`. Whatever is in a file, reading it gives
a schedule whose every number is in range, or `BadSchedule`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from emu.errors import BadSchedule
from emu.moves import plan_data, schedule_file, segment
from emu.moves.json_value import Value
from emu.moves.move import CLOCKS
from emu.moves.move_text import Scope
from emu.moves.plan import Plan
from emu.moves.segment import Segment

FORMAT: Final = "textpoke schedule"
VERSION: Final = 1

MODELS: Final = ("coherent", "observed", "intel2010", "sdm")
"""The fetch models, as in emu/machine/text.py."""

MAX_CORES: Final = 8
MAX_RAM_MIB: Final = 3072
MAX_PLANS: Final = 4096
MAX_COUNTS: Final = 64
MAX_COMMAND_LINE: Final = 2047
"""Bounds of a schedule: what a machine can have, and how many of each a file may hold."""

NS_PER_INSTRUCTION: Final = 1
"""Virtual nanoseconds that a retired instruction of any core takes (emu/machine/clock.py)."""

_LARGE = 1 << 62


@dataclass(frozen=True, slots=True)
class ImageId:
    """The image a run needs: its file name without folders, for people, and its SHA-256 in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class MachineSetup:
    """The machine a run starts on; the arguments of `machine.Machine`. clock: one of CLOCKS."""

    cores: int
    ram_mib: int
    command_line: str = ""
    model: str = "sdm"
    clock: str = "counted"


@dataclass(frozen=True, slots=True)
class End:
    """What the run came to. hash: of the state. verdict: as printed. counts: by name."""

    hash: str | None = None
    verdict: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run: what it starts from, how it goes on, and what came of it.

    Attributes:
        image: what is booted.
        machine: what it is booted on.
        instructions: of all cores, at most; a replay that does not end ends there.
        plans: what the patcher is asked to do; a move Request names one by its index.
        segments: the moves, in order.
        end: None if the run was not brought to an end.
    """

    image: ImageId
    machine: MachineSetup
    instructions: int
    plans: tuple[Plan, ...]
    segments: tuple[Segment, ...]
    end: End | None = None

    @classmethod
    def read(cls, path: str | Path) -> "Schedule":
        """Read the schedule at `path`; BadSchedule says in one line why it is none."""
        return _schedule(schedule_file.load(path))

    def write(self, path: str | Path) -> None:
        """Write the schedule to `path`, whole or not at all.

        Raises:
            BadSchedule: it cannot be written there, or would not be accepted by `read`.
        """
        document = self.to_json()
        self.from_json(document, str(path))
        schedule_file.save(path, document)

    @classmethod
    def from_json(cls, document: object, name: str = "schedule") -> "Schedule":
        """Return the schedule in a JSON document; `name` is for messages."""
        return _schedule(Value(document, name))

    def to_json(self) -> dict[str, object]:
        """Return the schedule as objects, lists, text and numbers."""
        machine = self.machine
        return {
            "format": FORMAT,
            "version": VERSION,
            "image": {"name": plan_data.label(self.image.name), "sha256": self.image.sha256},
            "machine": {
                "cores": machine.cores,
                "ram_mib": machine.ram_mib,
                "command_line": machine.command_line,
                "model": machine.model,
                "clock": machine.clock,
                "ns_per_instruction": NS_PER_INSTRUCTION,
            },
            "bounds": {"instructions": self.instructions},
            "plans": [plan_data.to_json(plan) for plan in self.plans],
            "segments": [segment.to_json(each) for each in self.segments],
            "end": None
            if self.end is None
            else {
                "hash": self.end.hash,
                "verdict": self.end.verdict,
                "counts": dict(self.end.counts),
            },
        }

    def check_image(self, sha256: str, name: str = "this image") -> None:
        """Raise BadSchedule unless the image with this SHA-256 is the one the schedule is for."""
        if sha256 != self.image.sha256:
            raise BadSchedule(
                f"the schedule is for {self.image.name} (sha256 {self.image.sha256[:16]}...), not "
                f"for {name} (sha256 {sha256[:16]}...): give it the image it was made with"
            )


def _schedule(value: Value) -> Schedule:
    data = value.data
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise value.bad(f'not a schedule: it lacks "format": "{FORMAT}"')
    version = Value(data.get("version"), "version", value).number(1, 1 << 32)
    if version > VERSION:
        raise value.bad(
            f"was written by a newer textpoke (format {version}), this one reads {VERSION}: "
            "install a newer one"
        )
    needed = ("format", "version", "image", "machine", "bounds", "plans", "segments")
    fields = value.fields(needed, ("end",))
    machine = _machine(fields["machine"])
    bounds = fields["bounds"].fields(("instructions",))
    plans = tuple(
        plan_data.from_json(plan, machine.cores) for plan in fields["plans"].items(0, MAX_PLANS)
    )
    segments = fields["segments"].items(0, segment.MAX_SEGMENTS)
    return Schedule(
        image=_image(fields["image"]),
        machine=machine,
        instructions=bounds["instructions"].number(1, _LARGE),
        plans=plans,
        segments=segment.from_json(segments, Scope(machine.cores, len(plans), machine.clock)),
        end=_end(fields["end"]) if data.get("end") is not None else None,
    )


def _image(value: Value) -> ImageId:
    fields = value.fields(("name", "sha256"))
    sha256 = fields["sha256"].hexadecimal(32, 32).hex()
    return ImageId(fields["name"].label(plan_data.MAX_LABEL), sha256)


def _machine(value: Value) -> MachineSetup:
    fields = value.fields(
        ("cores", "ram_mib", "command_line", "model", "clock", "ns_per_instruction")
    )
    fields["ns_per_instruction"].number(NS_PER_INSTRUCTION, NS_PER_INSTRUCTION)
    return MachineSetup(
        cores=fields["cores"].number(1, MAX_CORES),
        ram_mib=fields["ram_mib"].number(2, MAX_RAM_MIB),
        command_line=fields["command_line"].text(MAX_COMMAND_LINE),
        model=fields["model"].word(MODELS),
        clock=fields["clock"].word(CLOCKS),
    )


def _end(value: Value) -> End:
    fields = value.fields((), ("hash", "verdict", "counts"))
    counts: dict[str, int] = {}
    if "counts" in fields:
        data = fields["counts"].data
        if not isinstance(data, dict) or len(data) > MAX_COUNTS:
            raise fields["counts"].bad(f"must be an object of at most {MAX_COUNTS} numbers")
        for key, count in data.items():
            member = Value(count, key, fields["counts"])
            name = Value(key, key, fields["counts"]).label(plan_data.MAX_LABEL)
            counts[name] = member.number(0, _LARGE)
    verdict = fields.get("verdict")
    return End(
        hash=segment.state_hash(fields.get("hash")),
        verdict=None
        if verdict is None or verdict.data is None
        else verdict.label(plan_data.MAX_LABEL),
        counts=counts,
    )
