"""Training criteria, found by name in one registry."""
