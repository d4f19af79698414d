"""What a person, a pipe or a program sees of a command."""
