"""After the injection: what was seen and said, on one page."""
