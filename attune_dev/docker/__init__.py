"""The doors to Docker and to other programs."""
