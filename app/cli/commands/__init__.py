"""The commands of ``preview``, one module each or a few that belong together."""
