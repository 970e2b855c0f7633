"""Tests of emu.patch."""
