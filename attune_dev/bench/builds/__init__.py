"""The builds: the old way, three strategies, the watch loop and ``docker compose watch``."""
