"""How fast the planner is: on a large generated workspace, and as a user calls it."""
