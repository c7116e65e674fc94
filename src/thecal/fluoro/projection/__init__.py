"""X-ray pictures computed from a CT (digitally reconstructed radiographs)."""
