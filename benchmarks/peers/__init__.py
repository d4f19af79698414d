"""Ours against other queues: ``make bench-peers``. One run, one machine, the same work."""
