"""Tests of emu.image."""
