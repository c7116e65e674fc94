"""What others have published: cases of cement inside the dura, and how often cement leaks."""
