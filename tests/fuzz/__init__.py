"""Fuzzing of everything that reads files from strangers: `./run fuzz`."""
