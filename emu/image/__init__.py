"""Kernel images: what a file says about its bytes, symbols, types and sites."""
