"""The timeline: what happened on every core, when, and where the player stands in it."""
