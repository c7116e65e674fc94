"""What the registry answers: counts with intervals, and silence where the numbers are too small."""
