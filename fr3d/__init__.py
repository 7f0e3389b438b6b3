"""3D face recognition from photometric stereo, on the command line."""

__version__ = "0.1.0"
