"""Tests of emu.scene."""
