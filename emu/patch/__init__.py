"""Patching: what the kernel's text_poke decides and writes, as plans, and who carries them out."""
