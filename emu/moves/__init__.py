"""Moves, plans, schedules and choosers: pure data, at the bottom of everything."""
