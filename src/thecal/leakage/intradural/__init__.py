"""The signs of cement inside the dura, one file each, and what they look at."""
