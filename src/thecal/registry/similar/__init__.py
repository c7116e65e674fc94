"""Which cases are like this one, why, what was done, and what became of them."""
