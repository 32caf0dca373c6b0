"""`hub integration adapters`: what systems can be connected."""

from typing import Any

import click

from hub import registry
from hub.adapter import Adapter, AuthorizationCode, Setting
from hub.cli import tell
from hub.cli.integration.work import AS_JSON, print_json


@click.command()
@click.argument("key", required=False)
@AS_JSON
def adapters(key: str | None, *, as_json: bool) -> None:
    """The systems that can be connected.

    Shows what has to be said of each; of KEY alone, if it is given.

    \b
    Examples:
      hub integration adapters
      hub integration adapters tryton
    """
    found = registry.adapters().values() if key is None else [registry.adapter(key)]
    if as_json:
        print_json({"adapters": [_adapter(one) for one in found], "faulty": registry.faulty()})
        return
    for adapter in found:
        _print_adapter(adapter)
    if not found:
        click.echo("None is installed.")
    tell_faulty()


def tell_faulty() -> None:
    """Name the adapters that are installed and do not load."""
    for entry, why in registry.faulty().items():
        tell(f"The adapter {entry} can not be used: {why}.")


def _print_adapter(adapter: Adapter) -> None:
    click.echo(f"{adapter.key}: {adapter.title} ({adapter.docs})")
    click.echo(f"  reads {', '.join(stream.key for stream in adapter.streams)}")
    for setting in adapter.settings:
        click.echo(f"  {setting.key:<10} {_setting(setting)}")
    if isinstance(adapter.auth, AuthorizationCode):
        click.echo("  wants leave, which somebody gives in a browser; `add` says where")


def _setting(setting: Setting) -> str:
    """What it is, in a line."""
    told = [setting.title]
    if setting.help:
        told.append(setting.help)
    if setting.secret:
        told.append("secret: asked for, and sealed")
    if setting.default is not None:
        told.append(f"{setting.default or 'nothing'} unless told")
    return "; ".join(told)


def _adapter(adapter: Adapter) -> dict[str, Any]:
    return {
        "key": adapter.key,
        "title": adapter.title,
        "family": adapter.family,
        "docs": adapter.docs,
        "settings": [
            {
                "key": one.key,
                "title": one.title,
                "help": one.help,
                "is_secret": one.secret,
                "default": one.default,
            }
            for one in adapter.settings
        ],
        "wants_leave": isinstance(adapter.auth, AuthorizationCode),
        "streams": [stream.key for stream in adapter.streams],
        "erasure": adapter.privacy.by_hand,
    }
