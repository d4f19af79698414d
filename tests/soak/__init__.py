"""The whole system under random load, kills and outages: ``make soak MINUTES=10 SEED=7``.

At the end, every promise is checked: by the oracle of ``tests/faults``, by what clients were
told, and by what is left of memory, threads, descriptors, files, keys and processes.
"""
