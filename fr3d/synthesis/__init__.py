"""Parametric heads and the renderer behind synth."""
