"""How fast and how light the watch loop is, beside the tools that people use now."""
