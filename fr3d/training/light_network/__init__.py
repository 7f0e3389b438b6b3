"""Trains the network that estimates lights from faces, on synthetic heads only."""
