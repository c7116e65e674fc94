"""Backends of anatomy, each found by an entry point."""
