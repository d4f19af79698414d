"""Films: ours against other ways to render the same scenes."""
