"""`hub privacy`: what people ask about their data, and what becomes of it."""

import click

from hub.cli.privacy import asking, fetching, looking, scrubbing, tending


@click.group("privacy")
def command() -> None:
    """What people ask about their data: to see it, to have it erased or restricted, to object.

    A customer is named by id, by one of its records as source:external_id, or with `--email -`,
    `--phone -`, `--loyalty-card -` and the value on standard input.

    \b
    Example:
      echo anna@example.com | hub privacy access --email -
      hub privacy list
    """


for one in (
    asking.access,
    fetching.archive,
    tending.done_,
    asking.erase,
    tending.extend,
    asking.lift,
    looking.list_,
    asking.object_,
    asking.restrict,
    tending.run,
    scrubbing.scrub,
    looking.show,
    tending.withdraw,
):
    command.add_command(one)
