"""Where the cement went: compartments, routes, the canal, the fill."""
