"""Decodes pictures, draws steps and composes frames."""
