"""Accuracy and speed, measured: ``python -m benchmarks`` writes ``docs/validation.md``."""
