"""Tests of emu.timeline."""
