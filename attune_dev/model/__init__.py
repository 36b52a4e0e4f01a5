"""Frozen values that everything else speaks in: no I/O, no clock, no environment."""
