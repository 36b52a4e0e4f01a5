"""Telling: plain lines, the live board, and JSON lines."""
