"""Guests: what gives a kernel's memory its meaning."""
