"""`hub backup`: the whole hub in a folder, and back again."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import DISTRIBUTION
from hub.app import App, opened
from hub.audit import checkpoints
from hub.backup import creating, manifest, releasing, restoring, verifying
from hub.backup.manifest import Backup
from hub.cli import run, tell
from hub.config import settings
from hub.db import hold
from hub.db.engine import Database
from hub.errors import BadInput
from hub.intake import Defaults
from hub.journal import files, replaying
from hub.journal.replaying import Replayed

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
PATH = click.argument("path", type=click.Path(path_type=Path))
MEGABYTE = 1 << 20
LOST = """With the key are lost, as far as it sealed them:
- suppressions: whoever was erased comes back when a system still sends them; erase them there
- the audit's signing key: `hub audit verify` names the checkpoints signed until now as changed
- links in mails that were sent, and archives of requests for access
- secrets: every integration needs its own again, and every client another"""


@click.group("backup")
def command() -> None:
    """Keep the whole hub in a folder, and put it back.

    A backup holds personal data, unsealed: keep it as safe as the database. The key (`secret.key`
    or HUB_SECRET_KEY) is not in it: keep that somewhere else.
    """


@command.command()
@PATH
@AS_JSON
def create(path: Path, *, as_json: bool) -> None:
    """Make a backup in the folder PATH, while the hub works.

    If there is such a folder already, the backup gets a folder of its own in it.

    \b
    Examples:
      hub backup create /var/backups/hub
      hub backup create before-update
    """
    made = run(_create(path))
    if as_json:
        _print(_facts(made))
        return
    click.echo(f"{made.folder}: {made.manifest.bytes / MEGABYTE:,.1f} MB.")
    tell(f"What is sealed in it opens with the key of {made.manifest.key_is}: keep that apart.")


async def _create(path: Path) -> Backup:
    with Console(stderr=True).status("Backing up…") as status:
        async with opened(settings(), progress=tell) as app:
            return await creating.create(
                app.database,
                path,
                release=version(DISTRIBUTION),
                told=lambda n: status.update(f"Backing up… {n / MEGABYTE:,.0f} MB"),
            )


@command.command("list")
@PATH
@AS_JSON
def list_(path: Path, *, as_json: bool) -> None:
    """The backups in the folder PATH, the newest first.

    \b
    Example:
      hub backup list /var/backups/hub
    """
    found = manifest.found(path, told=tell)
    if as_json:
        _print([_facts(one) for one in found])
    elif found:
        table = Table("backup", "made at", "release", "PostgreSQL", "MB")
        for one in found:
            said = one.manifest
            size = f"{said.bytes / MEGABYTE:,.1f}"
            cells = (one.folder.name, f"{said.made_at:%Y-%m-%d %H:%M}", said.release)
            table.add_row(*map(Text, (*cells, str(said.postgresql), size)))
        Console().print(table)
    else:
        click.echo("There are no backups in it.")


@command.command()
@PATH
def verify(path: Path) -> None:
    """See whether the backup in the folder PATH is whole and can be restored by this hub.

    Of several in it, the newest. Whether what is in it can be used, only a restore shows: try one
    now and then, with another HUB_DATA_DIR.

    \b
    Example:
      hub backup verify /var/backups/hub
    """
    backup = verifying.chosen(path, told=tell)
    run(verifying.verify(backup))
    verifying.demand_keys(backup, settings())
    click.echo(f"{backup.folder} is whole, and opens with the key of this hub.")


@command.command()
@PATH
@click.option(
    "--without-key", is_flag=True, help="Restore though the key is lost, and much with it."
)
def restore(path: Path, *, without_key: bool) -> None:
    """Put the backup in the folder PATH, or the newest in it, into an empty database.

    Nothing is given out then until `hub backup replay` has applied what people took back since.
    The key has to be there first: as HUB_SECRET_KEY, or as `secret.key` in the data folder. Where
    it is lost, --without-key goes on with a new one, and says what is lost with it.

    \b
    Example:
      HUB_DATA_DIR=/srv/hub hub backup restore /var/backups/hub
    """
    backup = verifying.chosen(path, told=tell)
    if not without_key:
        verifying.demand_keys(backup, settings())
    is_lost = bool(verifying.lost_keys(backup, settings()))
    run(_restore(backup, without_key=is_lost))
    if is_lost:
        click.echo(LOST)
    click.echo(f"Restored as of {backup.manifest.made_at:%Y-%m-%d %H:%M} UTC; the hub is held.")
    click.echo(
        "`hub backup replay` applies what people took back since then, from the journal"
        f" ({files.folder_of(settings())}), and releases it."
    )


async def _restore(backup: Backup, *, without_key: bool) -> None:
    with Console(stderr=True).status("Restoring…") as status:
        async with await Database.open(settings(), progress=tell) as database:
            await restoring.restore(
                database,
                backup,
                without_key=without_key,
                told=lambda n: status.update(f"Restoring… {n / MEGABYTE:,.0f} MB"),
            )


@command.command()
@click.option("--without", metavar="REASON", help="Go on though (some of) the journal is missing.")
@AS_JSON
def replay(without: str | None, *, as_json: bool) -> None:
    """Apply what people took back since the backup, and release the hub.

    Withdrawals, objections and restrictions are entered again, and whoever was erased is erased
    again. May be stopped and repeated. Where there is no journal, or not all of it, say why it has
    to do without: who took something back since is then treated as if they had not.

    \b
    Examples:
      hub backup replay
      hub backup replay --without "the disk with the journal burned"
    """
    if without is not None and not without.strip():
        raise BadInput("Say why: --without REASON.")
    done, aside = run(_replay(without))
    if as_json:
        set_aside = None if aside is None else str(aside)
        _print({**msgspec.to_builtins(done), "set_aside": set_aside, "released": True})
    else:
        _tell(done, aside)


async def _replay(without: str | None) -> tuple[Replayed, Path | None]:
    """What was applied, and where the file of the audit's checkpoints is if it was set aside."""
    chosen = settings()
    defaults = Defaults.of(chosen)
    folder = files.folder_of(chosen)
    async with opened(chosen, progress=tell, even_held=True) as app:
        await _demand_held(app)
        with Console(stderr=True).status("Replaying…") as status:
            done = await replaying.replay(
                app.database,
                folder,
                defaults,
                in_spite=without is not None,
                told=lambda n: status.update(f"Replaying… {n:,}"),
            )
        file = checkpoints.file(chosen)
        aside = await app.database.retrying(lambda c: checkpoints.set_aside(c, file))
        reason = without or f"the journal was applied: {done.lines} entries"
        await releasing.release(app.database, reason=reason)
    return done, aside


async def _demand_held(app: App) -> None:
    async with app.database.transaction() as connection:
        if await hold.timeline(connection) is not None:
            raise BadInput(
                "The hub is not held: there is nothing to replay. If its data folder was put back"
                " by hand, `hub backup hold` says so."
            )


@command.command("hold")
@click.confirmation_option(prompt="Nothing is given out until it is released. Hold the hub?")
def hold_() -> None:
    """Hold the hub: for one whose data folder or database was put back by other means.

    `hub backup replay` applies what people took back since, and releases it.
    """

    async def work() -> None:
        async with opened(settings(), progress=tell, even_held=True) as app:
            await app.database.retrying(releasing.hold_back)

    run(work())
    click.echo("Held. `hub backup replay` releases it.")


def _tell(done: Replayed, aside: Path | None) -> None:
    found = done.applied
    told = ", ".join(f"{number:,} {kind}" for kind, number in sorted(found.counts.items()))
    click.echo(f"Applied: {told or 'nothing, for there was nothing'}.")
    if done.last_at:
        click.echo(f"The last entry is of {done.last_at:%Y-%m-%d %H:%M:%S} UTC.")
    for line in _remarks(done):
        click.echo(line)
    if aside is not None:
        click.echo(f"The audit's checkpoints from before are in {aside}: keep that file.")
    click.echo("The hub is released.")


def _remarks(done: Replayed) -> Sequence[str]:
    found, lines = done.applied, list[str]()
    if done.lost:
        lines.append(f"Done without: {'; '.join(done.lost)}.")
    if found.unknown:
        lines.append(f"{found.unknown:,} are of people who are not in the backup.")
    if found.widened:
        lines.append(
            f"{found.widened:,} speak of a contact point that is not in the backup: they refuse the"
            " whole purpose now."
        )
    if found.purposes:
        lines.append(f"Purposes that are not in the backup: {', '.join(sorted(found.purposes))}.")
    for customer in sorted(found.unclear):
        lines.append(
            f"Customer {customer} is restricted: some of their records were erased, others were"
            " not. Split them, or erase them: `hub privacy erase`."
        )
    return lines


def _facts(backup: Backup) -> object:
    return {"folder": str(backup.folder), **msgspec.to_builtins(backup.manifest)}


def _print(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
