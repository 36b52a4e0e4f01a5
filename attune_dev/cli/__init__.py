"""The tasks: Invoke is an adapter, the work is done elsewhere."""
