"""Tests of emu.guest."""
