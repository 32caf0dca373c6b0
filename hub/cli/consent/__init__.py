"""`hub consent`: what people agreed to, for what, and what they were shown."""

import click

from hub.cli.consent import (
    asking,
    attesting,
    contact,
    deciding,
    document,
    importing,
    purpose,
    recording,
    reporting,
)


@click.group("consent")
def command() -> None:
    """What people agreed to, for what purposes, and what they were shown.

    A customer is named by id, or by one of its records as source:external_id. Addresses and numbers
    are read from standard input (`--email -`), so that no history of commands keeps them.
    """


command.add_command(purpose.command)
command.add_command(document.command)
command.add_command(deciding.decide)
command.add_command(deciding.history)
command.add_command(recording.record)
command.add_command(contact.command)
command.add_command(asking.ask)
command.add_command(attesting.attest)
command.add_command(importing.import_)
command.add_command(reporting.report)
