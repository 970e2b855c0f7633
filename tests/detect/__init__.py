"""Tests of emu.detect."""
