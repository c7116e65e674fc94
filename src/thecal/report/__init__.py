"""The report: its schema, its page, its figures."""
