"""How often cement leaks, over several studies: the exact binomial-normal model."""
