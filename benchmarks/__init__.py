"""Benchmarks: ``make bench``. Every figure comes from one run on this machine."""
