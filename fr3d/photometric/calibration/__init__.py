"""Directions and intensities of lights from what they shine on: balls, or many sessions."""
