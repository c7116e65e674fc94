"""How the registry's tables came to be, revision by revision (alembic)."""
