"""Pixels: pictures decoded, steps drawn, frames composed."""
