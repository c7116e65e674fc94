"""Pictures as they come: checked, read, said, recorded, and run again."""
