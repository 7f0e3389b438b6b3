"""Headers of image formats: size, depth and completeness, read without a decoder."""
