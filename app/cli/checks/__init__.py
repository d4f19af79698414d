"""Checks of this machine, of the queue and of a running installation."""
