"""`./run bench`: measure, print a table, write build/bench.json.

Every figure stands next to a peer that was measured in the same run, alternating, because a
machine that others use, too, says little about absolute speed. Nothing is asserted here.
"""

import sys
from collections.abc import Callable

from tests.bench import linux, moves, playing, starting, states, timeline, traced, untraced, window
from tests.bench.row import Row, show, write

BENCHMARKS: tuple[Callable[[], list[Row]], ...] = (
    untraced.measure,
    moves.measure,
    traced.measure,
    states.measure,
    timeline.measure,
    starting.measure,
    window.measure,
    playing.measure,
    linux.measure,
)


def main() -> int:
    rows: list[Row] = []
    for number, measure in enumerate(BENCHMARKS, 1):
        name = measure.__module__.rpartition(".")[2]
        print(f"bench: {name} ({number} of {len(BENCHMARKS)})", file=sys.stderr, flush=True)
        rows += measure()
    show(rows)
    print(f"bench: {write(rows)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
