"""Where the spine is: canal, vertebrae, discs, sac, levels."""
