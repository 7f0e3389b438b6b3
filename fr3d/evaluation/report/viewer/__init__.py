"""Faces as a page of their own, in which a visitor turns them and moves the light."""
