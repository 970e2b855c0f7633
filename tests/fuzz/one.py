"""`python -m tests.fuzz.one READER LIBFUZZER-ARGUMENTS`: one reader under atheris, in a process."""

import sys

import atheris

with atheris.instrument_imports(include=["emu"]):
    from tests.fuzz.readers import READERS

if __name__ == "__main__":
    reader = READERS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], reader.read)
    atheris.Fuzz()
