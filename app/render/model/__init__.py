"""Values that all rooms share; nothing of how they are made."""
