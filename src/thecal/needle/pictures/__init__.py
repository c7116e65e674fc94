"""What a plan draws: the C-arm's views, cuts along the needle, clearance, aiming errors."""
