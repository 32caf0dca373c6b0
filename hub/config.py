"""Settings: one frozen value from the environment (`HUB_*`) and an optional `hub.toml`."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hub.errors import BadSettings


def _default_data_dir() -> Path:
    """The user's own folder; for root one outside its home, for the server to reach."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/customer-hub")
    return Path(platformdirs.user_data_dir("customer-hub", appauthor=False))


def _words(value: object) -> object:
    """What the environment writes with commas, `hub.toml` writes as a list."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Listed = (NoDecode, BeforeValidator(_words))
Origin = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$")]
HostName = Annotated[str, Field(pattern=r"^[\w.-]+$")]


class Settings(BaseSettings):
    """All settings of a deployment. Every one has a default that works on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="HUB_", toml_file="hub.toml", frozen=True, extra="forbid"
    )

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Folder for the embedded database and the hub's own files.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL 15 or later, as the owner of the hub's tables. "
        "Without it the embedded server is used.",
    )
    database_reader_url: SecretStr | None = Field(
        None,
        description="The same database as the reader, a login role that may read nothing "
        "but the purpose views.",
    )
    database_direct_url: SecretStr | None = Field(
        None,
        description="The same database as the owner past any transaction pooler: "
        "for migrations, imports, jobs and LISTEN.",
    )
    database_pool_size: int = Field(
        8,
        ge=1,
        le=200,
        description="Connections a process keeps to each address. Short reads have half of them at "
        "a time, which is quickest where the database is near; where it is far, have more.",
    )
    database_connect_seconds: int = Field(
        10, ge=1, description="How long one attempt to connect to the database may take."
    )
    database_retry_seconds: int = Field(
        120, ge=0, description="How long work goes on trying while the database does not answer."
    )
    database_statement_cache: bool = Field(
        True,
        description="Keep prepared statements. Turn it off behind a transaction pooler that does "
        "not know them (PgBouncer before 1.21); each statement is then planned anew.",
    )
    database_user: str | None = Field(
        None,
        description="System user that runs the embedded server when root starts the hub.",
    )
    base_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^\s/?#@]+(/[^\s/?#]+)*$",
        description="Address at which clients find the hub, without a slash at its end. Tokens "
        "name it: after a change those that are out no longer count.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Key (32 bytes, base64url) that seals stored secrets; several with commas "
        "between them: the first seals, all open. Needed with HUB_DATABASE_URL; else a file "
        "`secret.key` is made in the data folder.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that `hub serve` listens on. By default only this machine can come; "
        "`0.0.0.0` or `::` is for a container or behind a proxy that speaks TLS.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port that `hub serve` listens on.")
    workers: int = Field(1, ge=1, le=64, description="Processes that share the port.")
    shutdown_seconds: int = Field(
        5,
        ge=1,
        le=300,
        description="How long requests under way may take to end when the server is told to stop.",
    )
    graphiql: bool | None = Field(
        None,
        description="Show the page GraphiQL at `/graphiql`. Unset, it is shown where only this "
        "machine can come (`host` is a loopback address).",
    )
    allowed_origins: Annotated[tuple[Origin, ...], *Listed] = Field(
        (),
        description="Origins (`https://shop.example.com`) whose pages may ask from a browser, with "
        "commas between them.",
    )
    allowed_hosts: Annotated[tuple[HostName, ...], *Listed] = Field(
        (),
        description="Names that the hub answers to besides that of `base_url`, `localhost` and "
        "any IP address, with commas between them.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], *Listed] = Field(
        (),
        description="Networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed, with commas between them.",
    )
    allowed_networks: Annotated[tuple[IPvAnyNetwork, ...], *Listed] = Field(
        (),
        description="Networks (`10.0.0.0/8`) that integrations may reach although they are "
        "private, and without TLS (`http://`), with commas between them. Without one they reach "
        "public addresses only, by `https://`.",
    )
    login_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#@]+$",
        description="The company's OpenID provider, at which people log in, exactly as it names "
        "itself (`issuer`). It has to know `HUB_BASE_URL/oauth/login/callback` as a redirect URI.",
    )
    login_client_id: str | None = Field(
        None, description="What the provider calls the hub; needed with `login_issuer`."
    )
    login_client_secret: SecretStr | None = Field(
        None, description="The hub's secret at the provider; none for a public client."
    )
    login_role_claim: str | None = Field(
        None,
        min_length=1,
        description="The claim whose values give roles (`groups`, `realm_access.roles`): "
        "`hub role set` says which value gives which. Who has none is let in if invited.",
    )
    login_scopes: Annotated[tuple[str, ...], *Listed] = Field(
        ("openid", "email", "profile"),
        description="Scopes asked of the provider, with commas between them.",
    )
    job_workers: int = Field(
        1, ge=1, le=64, description="Processes of `hub worker`, which read the integrations."
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="Bearer token that opens `/metrics`; without one it is open only to this "
        "machine, not through a proxy.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="The mail server that confirmations go out through: "
        "`smtp://user:password@mail.example.com:587` (STARTTLS) or `smtps://…:465`. Without TLS it "
        "has to be in HUB_ALLOWED_NETWORKS, as any private address.",
    )
    mail_from: str | None = Field(
        None,
        description="Who mails come from: `Shop <news@example.com>`; needed with `smtp_url`.",
    )
    dkim_selector: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,63}$",
        description="Selector under which the key of `dkim_key_file` is published "
        "(`SELECTOR._domainkey.DOMAIN`); needed with it.",
    )
    dkim_domain: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]{1,253}$",
        description="Domain that signs mails; that of `mail_from` if not given.",
    )
    dkim_key_file: Path | None = Field(
        None,
        description="RSA key (PEM) that signs mails (DKIM). Without it they go unsigned.",
    )
    graphql_status: Literal["audits", "2026"] = Field(
        "audits",
        description="HTTP status of failed documents: `audits` is what clients of today expect, "
        "`2026` the text of GraphQL over HTTP of that year (422, 294).",
    )
    graphql_max_bytes: int = Field(
        4 << 20,
        ge=1024,
        le=64 << 20,
        description="The longest request or WebSocket message, in bytes.",
    )
    graphql_max_answer_bytes: int = Field(
        8 << 20, ge=1024, le=256 << 20, description="The longest answer, in bytes."
    )
    graphql_max_cost: int = Field(
        20_000,
        ge=100,
        description="What one document may cost: one for each object it can return.",
    )
    graphql_cost_per_second: int = Field(
        0,
        ge=0,
        description="What all documents of one client may cost in a second, in all processes "
        "together; it saves up for ten seconds. 0 means as much as it likes. A client may have a "
        "limit of its own.",
    )
    graphql_requests_per_second: int = Field(
        0,
        ge=0,
        description="How many documents one client may send in a second, in all processes "
        "together; it saves up for ten seconds. 0 means as many as it likes. A client may have a "
        "limit of its own.",
    )
    trusted_documents: Literal["off", "allow", "only"] = Field(
        "off",
        description="Documents known beforehand: `off`, `allow` (they may be asked for by id) or "
        "`only` (nothing else is answered).",
    )
    trusted_documents_file: Path | None = Field(
        None, description="Manifest of trusted documents: a JSON object of ids and documents."
    )
    audit_reads: bool = Field(
        True,
        description="Note of every query which client saw whom, for what purpose and by which "
        "document, before its answer leaves. Changes and what is sent are noted in any case.",
    )
    audit_checkpoints: Path | None = Field(
        None,
        description="File to which the audit's signed checkpoints are appended: better on another "
        "machine's disk. Unset, it is `audit-checkpoints.jsonl` in the data folder.",
    )
    retention_payloads_days: int = Field(
        365,
        ge=0,
        description="Days for which records are kept as their sources sent them, beside what they"
        " say; after that a new mapping does not reach them until the source sends them again. 0:"
        " for good.",
    )
    retention_rejects_days: int = Field(
        90,
        ge=0,
        description="Days for which it is kept why records could not be taken; what an integration"
        " has not mended stays. 0: for good.",
    )
    retention_events_days: int = Field(
        90,
        ge=0,
        description="Days for which events are kept: readers that come back later than that have"
        " to read everything anew. 0: for good.",
    )
    retention_runs_days: int = Field(
        365,
        ge=0,
        description="Days for which imports and runs of integrations are remembered. 0: for good.",
    )
    retention_logs_days: int = Field(
        30,
        ge=0,
        description="Days for which log files in the data folder are kept: the embedded server's,"
        " and what is written to `logs` there. 0: for good.",
    )
    journal_dir: Path | None = Field(
        None,
        description="Folder for the journal of what people took back (withdrawals, restrictions, "
        "erasures), from which a restored backup is brought up to date: better on another disk "
        "than the database's, and the same for all processes. Unset, it is `journal` in the data "
        "folder.",
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe line that is logged."
    )
    phone_region: str = Field(
        "RU",
        pattern="^[A-Z]{2}$",
        description="Country (ISO 3166-1 alpha-2) of telephone numbers without a country code.",
    )
    currency: str = Field(
        "RUB",
        pattern="^[A-Z]{3}$",
        description="Currency (ISO 4217) of amounts that come without one.",
    )
    timezone: str = Field(
        "Europe/Moscow", description="Time zone (IANA) of times in files that come without one."
    )
    consent_shared_documents: bool = Field(
        False,
        description="Let one document of consent cover several purposes. Some laws want one for "
        "each (152-FZ, article 9), and everybody can then say yes to one and no to another.",
    )
    identity_max_holders: int = Field(
        50,
        ge=2,
        le=1000,
        description="An identifier held by more records than this is shared and joins nobody.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        problems = "; ".join(
            f"HUB_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors()
        )
        raise BadSettings(
            f"The settings can not be used: {problems}. See docs/settings.md."
        ) from error
