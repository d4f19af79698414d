"""Servers that the commands ask: the API, Prometheus."""
