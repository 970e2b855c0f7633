"""The log: every event of the run, a row each."""
