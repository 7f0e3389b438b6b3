"""Metrics (arrays in, frozen dataclasses out) and the report made of them."""
