"""Readers and writers of light files, one module a format."""
