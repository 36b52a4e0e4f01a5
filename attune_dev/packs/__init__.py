"""Packs: the volume that the services share, and the binaries that packs carry."""
