"""Faces to align that are no maps yet."""
