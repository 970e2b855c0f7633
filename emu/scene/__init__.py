"""Scenes: frozen pictures of a machine. Terminal, window and JSON render nothing else."""
