"""What a plan writes: its folder, page, markups, meshes and structured report."""
