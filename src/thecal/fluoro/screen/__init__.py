"""What is seen and heard while cement is injected: a page on this computer's own address."""
