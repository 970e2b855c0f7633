"""Tests of emu.machine."""
