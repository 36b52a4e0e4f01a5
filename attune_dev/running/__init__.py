"""Doing what a plan says, without deciding anything."""
