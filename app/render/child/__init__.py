"""The child process that renders: started, watched, limited and killed."""
