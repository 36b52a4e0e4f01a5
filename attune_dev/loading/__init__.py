"""The world in: manifests, Compose files, Dockerfiles and packs become model values."""
