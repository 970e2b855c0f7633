"""A stock Linux kernel as a guest: what its memory means, and which addresses are events."""
