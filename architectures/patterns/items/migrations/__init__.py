"""Alembic's folder: ``env`` runs the steps in ``versions`` on a connection it is handed."""
