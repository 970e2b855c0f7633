"""The keys of the window, in a dialog."""
