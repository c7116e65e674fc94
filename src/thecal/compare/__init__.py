"""Two CTs of one patient: what was taken out, what stayed, what is new."""
