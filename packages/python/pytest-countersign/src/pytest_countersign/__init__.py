"""Fixtures for pytest: a real object store, a bucket for each test, and its upload callbacks.

``countersign`` is one instance for each worker process, ``countersign_bucket`` a new bucket for each test, and
``countersign_callbacks`` takes and verifies the callbacks of that test alone.
"""
