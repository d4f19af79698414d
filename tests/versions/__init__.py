"""What versions leave in Redis: each reads what the one before has written, and the other way."""
