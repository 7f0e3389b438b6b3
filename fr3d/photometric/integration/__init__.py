"""Depth from normals: slopes, masked Poisson, spectral and discontinuity-preserving methods."""
