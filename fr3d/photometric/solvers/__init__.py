"""Photographs under known lights become scaled normals: one file a way to solve."""
