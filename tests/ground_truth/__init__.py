"""Plans held against builds: what really differs after an edit, and what the plan said would."""
