"""Detectors: oracles that watch from outside the kernel and never trust it."""
