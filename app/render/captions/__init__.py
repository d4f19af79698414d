"""Captions: cut into cues, read from files and written."""
