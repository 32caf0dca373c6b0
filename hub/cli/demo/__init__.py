"""`hub demo`: a hub at work, over pretended vendors that hold a supermarket's sales."""

import signal

import click

from hub import logs
from hub.cli.demo import place
from hub.cli.demo.place import Place
from hub.cli.demo.retail import Size
from hub.config import settings

HELP = """Show a hub at work: pretended vendors are read over their own interfaces, and GraphQL
answers for what came in, until Ctrl-C.

What was sold comes from a published data set, The Complete Journey: by default its last thirteen
weeks, moved to end yesterday. The people who bought it are invented. Everything is in a folder of
its own and on this machine only; a second start goes on with what is there.
"""


@click.command("demo", help=HELP)
@click.option("--small", "size", flag_value="small", help="200 households only.")
@click.option("--full", "size", flag_value="full", help="The whole year.")
@click.option("--seed-only", is_flag=True, help="Bring the records in, and end.")
@click.option("--port", type=click.IntRange(0, 65535), help="8000, or any if that is taken.")
@click.option("--token", "is_asked", is_flag=True, help="Print a running demo's token, and end.")
def command(size: Size | None, *, seed_only: bool, port: int | None, is_asked: bool) -> None:
    chosen = place.settings(settings())
    where = Place(chosen.data_dir)
    if is_asked:
        click.echo(where.facts().token)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    logs.configure(chosen)
    with where.held():
        from hub.cli.demo.life import start  # a second or more, which help does without

        start(chosen, where, size, port=port, is_shown=not seed_only)
