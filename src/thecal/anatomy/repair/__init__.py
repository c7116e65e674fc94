"""Repair of what is known to fail in label maps that networks draw; a file is one fault."""
