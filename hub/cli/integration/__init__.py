"""`hub integration`: connected systems, from the first word about them to the last."""

import click

from hub.cli.integration import (
    authorizing,
    checking,
    connecting,
    installed,
    looking,
    mapping,
    rejected,
    tending,
)


@click.group("integration")
def command() -> None:
    """The systems that the hub reads: connect them, look at them, map what they have.

    \b
    Example:
      hub integration add erp --adapter tryton --set url=https://erp.example.com \\
          --set path=/DATABASE/rpc/ --set user=hub
      hub sync erp --dry-run
      hub sync erp
    """


for one in (
    authorizing.authorize,
    authorizing.disconnect,
    checking.check,
    connecting.add,
    connecting.remove,
    installed.adapters,
    looking.list_,
    rejected.rejected,
    looking.show,
    mapping.fields,
    mapping.map_,
    tending.pause,
    tending.reset,
    tending.resume,
):
    command.add_command(one)
