"""Measurements: how fast textpoke is, next to something else in the same run. Not tests."""
