"""The command `textpoke`: one file a verb, and nothing heavy imported before a verb runs."""
