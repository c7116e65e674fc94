"""What a revision would have to reach: a plan to discuss, never an instruction."""
