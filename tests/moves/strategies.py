"""Hypothesis strategies: any plan, any move, any schedule, any JSON."""

from dataclasses import replace

from hypothesis import strategies as st

from emu.moves import fault, move, plan, segment
from emu.moves.schedule import MODELS, End, ImageId, MachineSetup, Schedule
from emu.moves.segment import Chosen, Moves, Start

CORES, PLANS = 4, 3

U64 = (1 << 64) - 1
hashes = st.binary(min_size=16, max_size=16).map(bytes.hex)
labels = st.text(min_size=1, max_size=30).filter(str.isprintable)


@st.composite
def stored(draw: st.DrawFn, most: int) -> tuple[int, bytes]:
    data = draw(st.binary(min_size=1, max_size=most))
    return draw(st.integers(0, (1 << 64) - len(data))), data


@st.composite
def changes(draw: st.DrawFn) -> plan.Change:
    address, old = draw(stored(15))
    return plan.Change(address, old, draw(st.binary(min_size=len(old), max_size=len(old))))


words = st.tuples(st.integers(0, (1 << 64) - 4), st.integers(0, (1 << 32) - 1))
steps = st.one_of(
    st.builds(plan.Phase, st.sampled_from(plan.PHASES)),
    stored(40).map(lambda at: plan.Check(*at)),
    stored(8).map(lambda at: plan.Store(*at)),
    st.builds(
        plan.Rmw,
        st.integers(0, (1 << 62) - 1).map(lambda word: word * 4),
        st.integers(-(1 << 31), (1 << 31) - 1),
    ),
    st.builds(plan.Ipi, st.integers(16, 255), st.integers(0, (1 << CORES) - 1)),
    st.builds(plan.Wait, labels, st.lists(words, max_size=9).map(tuple)),
)
plans = st.builds(
    plan.Plan,
    labels,
    st.lists(steps, max_size=8).map(tuple),
    st.lists(changes(), max_size=3).map(tuple),
)

cores = st.integers(0, CORES - 1)
vectors = st.integers(0, 255)
instructions = st.integers(1, (1 << 32) - 1)
counted_moves = st.one_of(
    st.builds(move.Run, cores, instructions),
    st.builds(move.Fetch, cores, st.lists(st.integers(0, 255), min_size=1, max_size=15).map(tuple)),
    st.just(move.Patch()),
    st.builds(move.Request, st.integers(0, PLANS - 1)),
    st.builds(move.Input, st.sampled_from(move.DEVICES), st.binary(min_size=1, max_size=15)),
    st.builds(fault.DropIpi, cores, vectors),
    st.builds(fault.DelayIpi, cores, vectors, instructions),
    st.builds(fault.FreezeFloor, cores),
)
moves = st.one_of(
    counted_moves, st.builds(move.Tick, cores), st.builds(move.Deliver, cores, vectors)
)
random_chosen = st.builds(
    Chosen,
    chooser=st.just("random"),
    seed=st.integers(0, U64),
    quantum=st.integers(1, (1 << 32) - 1),
    count=st.integers(0, 1 << 62),
    actors=st.none() | st.integers(1, (1 << 16) - 1),
    start=st.none() | st.builds(Start, st.integers(-1, CORES), st.integers(0, U64)),
    hash=st.none() | hashes,
    faults=st.integers(0, (1 << 32) - 1),
    waits=st.booleans(),
)
in_turns = random_chosen.map(lambda made: replace(made, chooser=segment.CHOOSERS[0], faults=0))
chosen = random_chosen | in_turns


def with_clock(clock: str, made: st.SearchStrategy[move.Move]) -> st.SearchStrategy[Schedule]:
    """Return schedules of a machine with this clock, whose segments list moves from `made`."""
    listed = st.lists(made, max_size=20).map(Moves.of)
    return st.builds(
        Schedule,
        image=st.builds(ImageId, labels, st.binary(min_size=32, max_size=32).map(bytes.hex)),
        machine=st.builds(
            MachineSetup,
            cores=st.just(CORES),
            ram_mib=st.integers(2, 3072),
            command_line=st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
            ),
            model=st.sampled_from(MODELS),
            clock=st.just(clock),
        ),
        instructions=st.integers(1, 1 << 62),
        plans=st.tuples(plans, plans, plans),
        segments=st.lists(listed | chosen, max_size=4).map(tuple),
        end=st.none()
        | st.builds(
            End,
            hash=st.none() | hashes,
            verdict=st.none() | labels,
            counts=st.dictionaries(labels, st.integers(0, 1 << 62), max_size=3),
        ),
    )


schedules = with_clock("counted", counted_moves) | with_clock("chosen", moves)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
