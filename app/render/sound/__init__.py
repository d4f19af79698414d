"""Voice and music: decoded, mixed, mastered and encoded."""
