"""`./run fuzz [READER ...] [--seconds N] [--seed S]`: look for files that break a reader.

Coverage-guided, by atheris and libFuzzer. A file that breaks a reader is left in build/fuzz, and
the status is 1; put it into tests/corpus/READER when the reader is mended, and every test run will
try it. The seed is printed; with it, and without what earlier runs left in build/fuzz, the same
files are tried in the same order.
"""

import argparse
import re
import subprocess
import sys

from tests.fuzz.readers import READERS, ROOT, Reader

BUILD = ROOT / "build" / "fuzz"
_SLOWEST, _MOST = 10, 2048  # seconds for one file, MiB of the process
_LONGEST = 1 << 17  # bytes of a file
_TOLD = re.compile(r"#(\d+)\s+(?:\w+)\s+cov: (\d+) ft: (\d+)")


def fuzz(reader: Reader, seconds: int, seed: int) -> bool:
    """Fuzz one reader, telling how far it is; returns whether nothing broke."""
    found, seeds = BUILD / reader.name / "found", BUILD / reader.name / "seeds"
    for folder in (found, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(reader.seeds()):
        (seeds / f"seed-{number}").write_bytes(data)
    command = [
        sys.executable, "-m", "tests.fuzz.one", reader.name, f"-max_total_time={seconds}",
        f"-seed={seed}", f"-timeout={_SLOWEST}", f"-rss_limit_mb={_MOST}", f"-max_len={_LONGEST}",
        f"-artifact_prefix={BUILD / reader.name}/", "-print_final_stats=1",
        str(found), str(seeds), *(str(at.parent) for at in reader.corpus()[:1]),
    ]  # fmt: skip
    log = BUILD / reader.name / "log"
    runs = places = "0"
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as process, log.open("w") as kept:  # fmt: skip
        assert process.stdout
        for line in process.stdout:
            kept.write(line)
            if told := _TOLD.match(line):
                runs, places = told[1], told[2]
                if sys.stderr.isatty():
                    print(f"\rfuzz: {reader.name}: {int(runs):,} files", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(end="\r", file=sys.stderr)
    fine = process.returncode == 0
    what = "nothing broke it" if fine else f"BROKEN, see {log.relative_to(ROOT)}"
    print(f"{reader.name:10} {int(runs):>12,} files, {places} places in the code: {what}")
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--seconds", type=int, default=600, help="for each reader (600)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    unknown = set(given.readers) - set(READERS)
    if unknown:
        parser.error(f"no reader {min(unknown)}: there are {', '.join(READERS)}")
    print(f"seed {given.seed}, {given.seconds} seconds for each reader")
    results = [fuzz(READERS[name], given.seconds, given.seed) for name in given.readers or READERS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
