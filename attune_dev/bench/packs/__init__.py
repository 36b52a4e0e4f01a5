"""How fast a pack reaches those who read it."""
