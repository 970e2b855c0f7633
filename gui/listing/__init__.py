"""The listing: the code around an address, and where each core stands in it."""
