"""The call path: the ways from a caller to a body, and who is on them."""
