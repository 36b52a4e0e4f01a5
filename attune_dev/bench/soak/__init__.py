"""Soaking: random edits on the real stack for as long as one likes, and what must hold at rest."""
