"""Where pictures come from: files, folders that fill, cameras, streams."""
