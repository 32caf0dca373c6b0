"""The PostgreSQL that comes with the hub, for deployments that name no server of their own."""

from hub.db.embedded.server import EmbeddedServer, Progress, silent

__all__ = ["EmbeddedServer", "Progress", "silent"]
