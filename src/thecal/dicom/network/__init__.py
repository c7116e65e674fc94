"""Archives: getting studies from them, putting results there, and taking what they send. Extra ``[net]``."""
