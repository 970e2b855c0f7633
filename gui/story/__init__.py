"""The story strip: the phases, and what just happened."""
