"""What Alembic runs: the steps on a connection and in a transaction of ``migrating``'s."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
