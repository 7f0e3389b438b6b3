"""Meshes and point clouds from the files that scanners write."""
