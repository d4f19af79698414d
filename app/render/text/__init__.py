"""Text: fonts, scripts, line breaks; measured, set and drawn."""
