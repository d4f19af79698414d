"""A finished preview, measured by its files and held to the rules."""
