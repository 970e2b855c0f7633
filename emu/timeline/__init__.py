"""The timeline: runs that were, to be gone through again."""
