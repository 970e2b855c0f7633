"""A word: 64 bits, of which native code has all numbers, and Python none."""


def signed(value: int) -> int:
    """Return the 64 bits of an address or register as native code has them."""
    return ((value & (1 << 64) - 1) ^ 1 << 63) - (1 << 63)
