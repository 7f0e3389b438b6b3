"""Backbones and embedding heads, found by name in one registry."""
