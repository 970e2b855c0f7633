"""Tests of emu.lab."""
