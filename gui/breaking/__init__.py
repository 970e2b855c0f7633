"""The dialog that chooses how the next run goes wrong."""
