"""Tests with kernels of our own, other than the toy."""
