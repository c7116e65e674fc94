"""The puncture: its corridor, the safest way through it, and the audit of the needle that was put in."""
