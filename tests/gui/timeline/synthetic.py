"""Lanes made by hand and by dice, without a machine and without Qt."""

from collections.abc import Sequence

import numpy as np

from emu.scene.lanes import Arrows, Band, Kind, Lane, Lanes, Left

NAMES = ("swapper/0", "sshd/410", "cat/812", "kworker/2:1", "dd/903", "make/655", "rcu_tasks/12")
PHASES = ("arm", "int3", "sync1", "tail", "sync2", "head", "sync3", "drain", "done")

Slice = tuple[int, int, Left]
Instant = tuple[int, Kind]
Sent = tuple[int, int, int, int]


def lane(slices: Sequence[Slice] = (), instants: Sequence[Instant] = ()) -> Lane:
    """A core: slices as (start, task, left), instants as (time, kind)."""
    starts, tasks, lefts = zip(*slices, strict=True) if slices else ((), (), ())
    times, kinds = zip(*instants, strict=True) if instants else ((), ())
    return Lane(
        np.array(starts, dtype=np.int64),
        np.array(tasks, dtype=np.int64),
        np.array(lefts, dtype=np.uint8),
        np.array(times, dtype=np.int64),
        np.array(kinds, dtype=np.uint8),
        np.arange(len(times), dtype=np.int64),
    )


def lanes(
    *cores: Lane,
    begin: int = 0,
    end: int = 1_000_000,
    sent: Sequence[Sent] = (),
    bands: Sequence[Band] = (),
    stores: Sequence[int] = (),
) -> Lanes:
    """Cores together; arrows as (sent, source, target, delivered), vector 0xf0."""
    columns = np.array(sent, dtype=np.int64).reshape(-1, 4)
    arrows = Arrows(
        columns[:, 0],
        columns[:, 1],
        columns[:, 2],
        np.full(len(columns), 0xF0, dtype=np.int64),
        columns[:, 3],
        columns[:, 3],
    )
    stored = np.array(stores, dtype=np.int64)
    return Lanes(begin, end, cores, arrows, tuple(bands), stored, NAMES, frozenset({0}))


def story(begin: int = 8_000_000, cores: int = 4, seed: int = 7) -> Lanes:
    """1.2 ms of a patch on some cores, as the window shows it."""
    dice = np.random.default_rng(seed)
    edges = begin + np.array([0, 300, 310, 420, 600, 610, 700, 960, 980, 1050]) * 1_000
    bands = [
        Band(phase, int(a), int(b), 1)
        for phase, a, b in zip(PHASES, edges[:-1], edges[1:], strict=True)
    ]
    end = begin + 1_200_000
    sent = [
        (int(when), source, core, int(when) + 15_000 + 12_000 * core + late * (core == cores - 1))
        for when, source, late in (
            (edges[2], -1, 0), (edges[4], -1, 30_000), (edges[6], 0, 110_000),
        )
        for core in range(cores)
        if core != source
    ]  # fmt: skip
    sent[-1] = (*sent[-1][:3], -1)
    made = []
    for core in range(cores):
        starts = np.sort(begin + dice.integers(0, 1_200_000, 8))
        tasks = dice.integers(0, len(NAMES), len(starts))
        slices = [
            (int(start), int(task), Left(int(dice.integers(1, 4))))
            for start, task in zip(starts, tasks, strict=True)
        ]
        slices[-1] = (*slices[-1][:2], Left.NOT_YET)
        marks = [(begin + at, Kind.TICK) for at in range(17_000 * core, 1_200_000, 100_000)]
        for at, kind in ((450, Kind.INTERRUPT), (560, Kind.TRAP), (730, Kind.INT3)):
            marks.append((begin + at * 1_000 + 31_000 * core, kind))
        if core == 2:
            marks += [(begin + 880_000, Kind.STALE), (begin + 900_000, Kind.TORN)]
        for when, _, target, delivered in sent:
            if target == core and delivered >= 0:
                marks += [(delivered, Kind.SYNC), (delivered + 4_000, Kind.SERIALISED)]
            assert when < end
        made.append(lane(slices, sorted(marks)))
    stores = [int(edges[index]) for index in (1, 3, 5)]
    return lanes(*made, begin=begin, end=end, sent=sorted(sent), bands=bands, stores=stores)


def many(events: int = 1_000_000, cores: int = 8, seed: int = 1) -> Lanes:
    """Half slices, half instants, spread over the cores; 1 us apart on the average."""
    dice = np.random.default_rng(seed)
    each = events // (2 * cores)
    made = []
    for _ in range(cores):
        start = np.cumsum(dice.integers(1, 2 * cores * 1_000, each))
        time = np.cumsum(dice.integers(1, 2 * cores * 1_000, each))
        common = [Kind.TICK, Kind.INTERRUPT, Kind.SERIALISED, Kind.SYNC, Kind.INT3]
        kind = dice.choice(common, each, p=[0.6, 0.2, 0.1, 0.07, 0.03])
        task, left = dice.integers(0, len(NAMES), each), dice.integers(1, 4, each)
        made.append(
            Lane(
                start.astype(np.int64),
                task.astype(np.int64),
                left.astype(np.uint8),
                time.astype(np.int64),
                kind.astype(np.uint8),
                np.arange(each, dtype=np.int64),
            )
        )
    end = max(int(max(each.start[-1], each.time[-1])) for each in made) + 1
    sent = np.sort(dice.integers(0, end, events // 100))
    source = dice.integers(-1, cores, len(sent))
    target = (source + 1) % cores
    took = sent + dice.integers(500, 5_000, len(sent))
    arrows = Arrows(sent, source, target, np.full(len(sent), 0xF0), took, took)
    bands = []
    for number, begin in enumerate(range(0, end, end // 40)):
        length = end // 400
        bands += [
            Band(phase, begin + at * length, begin + (at + 1) * length, number)
            for at, phase in enumerate(PHASES)
        ]
    stores = np.array([band.begin for band in bands], dtype=np.int64)
    return Lanes(0, end, tuple(made), arrows, tuple(bands), stores, NAMES, frozenset({0}))
