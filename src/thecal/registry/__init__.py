"""The case registry: what was done to a patient, what leaked, and what became of her."""
