"""Trains the network of the shadow-aware solver on synthetic surfaces only."""
