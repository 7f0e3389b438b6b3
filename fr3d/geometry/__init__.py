"""Frames, transforms, and the warping of all maps of a face at once."""
