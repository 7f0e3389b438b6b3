"""Biometric error rates: score arrays in, small frozen dataclasses out; needs NumPy alone."""
