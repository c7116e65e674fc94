"""The search for a needle's way: what it must keep away from, and every way that does."""
