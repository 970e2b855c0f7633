"""Scenes: frozen pictures of a machine at a moment. Terminal, window and JSON render nothing else."""
