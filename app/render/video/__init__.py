"""Encodes steps, caches them, and writes them to a film with its sound."""
