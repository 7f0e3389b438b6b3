"""Trains the network that finds five points in a face."""
