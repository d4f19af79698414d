"""Mobius Preview Worker: tutorials in, short preview videos out."""

__version__ = "0.1.0"
