"""textpoke: watch a kernel being patched while it runs."""
