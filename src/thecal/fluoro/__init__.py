"""Fluoroscopy: projections of a CT, where the C-arm stands, and the cement's front while it is injected."""
