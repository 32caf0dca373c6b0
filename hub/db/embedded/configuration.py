"""What we write into the embedded server's configuration: settings, and who may come in."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from hub.db import roles

MEGABYTE = 1 << 20
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container's own limit stands (cgroup 2 and 1)."""


def memory() -> int:
    """Bytes of memory that this machine or container has."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in LIMITS:
        path = Path(name)
        text = path.read_text().strip() if path.exists() else ""
        if text.isdigit():
            sizes.append(int(text))
    return min(sizes)


def settings(socket_dir: Path, memory_bytes: int) -> Mapping[str, str]:
    """The server's settings.

    The log is kept free of personal data: statements, parameters, details and the messages of
    errors (which quote values: `invalid input syntax for type date: "..."`) stay out of it.
    """
    megabytes = memory_bytes // MEGABYTE
    return {
        "cluster_name": "customer-hub",
        "listen_addresses": "",
        "unix_socket_directories": f'"{socket_dir}"',
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "200",
        "shared_buffers": f"{max(128, min(1024, megabytes // 4))}MB",
        "effective_cache_size": f"{max(256, megabytes // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{max(64, min(256, megabytes // 16))}MB",
        "huge_pages": "off",
        "jit": "off",
        "random_page_cost": "1.1",
        "deadlock_timeout": "200ms",
        "fsync": "on",
        "synchronous_commit": "on",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "autovacuum_naptime": "20s",
        "autovacuum_vacuum_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        "autovacuum_vacuum_cost_limit": "1000",
        "timezone": "UTC",
        "datestyle": "iso, ymd",
        "lc_messages": "C",
        "default_text_search_config": "pg_catalog.simple",
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "server-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_timezone": "UTC",
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_statement": "none",
    }


def files(socket_dir: Path, users: Iterable[str]) -> Mapping[str, str]:
    """Name and text of every configuration file."""
    values = settings(socket_dir, memory())
    lines = [f"{name} = {roles.literal(value)}" for name, value in values.items()]
    note = "# Written by the hub at every start. Your own settings: ALTER SYSTEM SET ...\n"
    return {
        "postgresql.conf": note + "\n".join(lines) + "\n",
        "pg_hba.conf": note + "local all all peer map=hub\n",
        "pg_ident.conf": note + "".join(_idents(users)),
    }


def _idents(users: Iterable[str]) -> Iterable[str]:
    for user in sorted(set(users)):
        quoted = user.replace('"', '""')
        for role in (roles.SUPERUSER, roles.OWNER, roles.READER):
            yield f'hub "{quoted}" {role}\n'
