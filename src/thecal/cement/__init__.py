"""Cement against bone, metal and contrast, and how much of it."""
