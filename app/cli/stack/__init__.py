"""A whole system on one machine: its processes, addresses and logs."""
