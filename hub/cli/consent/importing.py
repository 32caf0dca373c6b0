"""`hub consent import`: consents out of a file, grants only with proof."""

from pathlib import Path
from typing import Any, get_args

import click

from hub.cli.consent.words import AS_JSON, Time
from hub.cli.importing import carry_out, reading_of
from hub.transfer.mapping import Format


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--source", help="Whose customers the rows name: erp, shop…")
@click.option("--map", "map_path", type=click.Path(path_type=Path), help="A mapping (TOML).")
@click.option("--format", type=click.Choice(get_args(Format)), help="If the name does not tell.")
@click.option("--encoding", help="Of a CSV file; utf-8 unless told, often cp1251 from Windows.")
@click.option("--delimiter", help="Between the columns of a CSV file; guessed from its header.")
@click.option("--timezone", help="Of times without one (IANA), instead of HUB_TIMEZONE.")
@click.option("--observed-at", type=Time(), help="When the source stood as the file says.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--rejects", "rejects_path", type=click.Path(path_type=Path), help="Rejects file.")
@click.option("--strict", is_flag=True, help="Exit with 2 if a row was rejected.")
@click.option("--dry-run", is_flag=True, help="Read and map, show a sample, write nothing.")
@click.option("--sample", type=click.IntRange(0), default=2, help="Records that it shows.")
@click.option("--limit", type=click.IntRange(1), help="Rows after which a dry run stops.")
@AS_JSON
def import_(
    path: Path,
    source: str | None,
    map_path: Path | None,
    *,
    rejects_path: Path | None,
    strict: bool,
    dry_run: bool,
    sample: int,
    limit: int | None,
    workers: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Import consents from PATH: CSV, JSON Lines or Parquet.

    Without a map the columns are named like the fields of a consent: who (customer, the source's
    id, or email or phone), purpose, state, given_at; and valid_until, contact_email, contact_phone,
    channel, method, document, version, evidence. A grant of which neither method nor document nor
    evidence is told goes to the rejects file: what can not be shown is no consent. The same file
    again changes nothing, and an import that was killed goes on where it stopped.

    \b
    Example:
      hub consent import consents.csv --source erp --dry-run
    """
    reading = reading_of(path, map_path, {**options, "type_": "consents"}, is_proven=True)
    carry_out(
        reading,
        rejects_path,
        source=source,
        cause="backfill",
        workers=workers,
        strict=strict,
        dry_run=dry_run,
        sample=sample,
        limit=limit,
        as_json=as_json,
    )
