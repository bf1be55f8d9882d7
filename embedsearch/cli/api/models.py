"""``embedsearch api models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from embedsearch.cli.api import asking, deleting, printing

if TYPE_CHECKING:
    from embedsearch.client.types.models import Model


@click.command("models")
@click.argument("name", metavar="[MODEL]", required=False)
@click.option("--delete", is_flag=True, help="Delete MODEL, which was fine-tuned.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@asking.common
def models_(*, name: str | None, delete: bool, yes: bool, as_json: bool) -> None:
    """List the models that the server offers, or describe one."""
    if delete and name is None:
        raise click.UsageError("--delete: name the model")
    with asking.client() as client:
        if name is None:
            found = sorted(client.models.list(), key=lambda model: model.id)
            printing.listed(found, None, _print_id, as_json=as_json)
            return
        if not delete:
            model = client.models.retrieve(name)
            printing.record(model, _print, as_json=as_json)
            return
        if not yes:
            click.confirm(f"Delete the model {name!r} for good?", abort=True, err=True)
        deleting.delete([name], client.models.delete, as_json=as_json)


def _print_id(model: Model) -> None:
    printing.row(model.id)


def _print(model: Model) -> None:
    printing.row(model.id, model.owned_by, printing.day(model.created))
