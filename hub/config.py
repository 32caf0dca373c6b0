"""Settings: one frozen value from the environment (`HUB_*`) and an optional `hub.toml`."""

import os
from functools import cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
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
        8, ge=1, le=200, description="Connections a process keeps to each address."
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
