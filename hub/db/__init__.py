"""The store: PostgreSQL, embedded or a server, its roles, migrations and views."""
