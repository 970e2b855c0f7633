"""The tasks: who runs, who waits, and who still stands in old code."""
