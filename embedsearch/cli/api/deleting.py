"""Deleting what the provider keeps, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from embedsearch.cli.api import printing
from embedsearch.cli.errors import FAILED, SOME_FAILED
from embedsearch.cli.reports import list_lines
from embedsearch.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from embedsearch.client.types.models import Deleted


def delete(ids: Sequence[str], one: Callable[[str], Deleted], *, as_json: bool) -> None:
    """Delete each, and print the ids of those that are gone.

    One of several that is refused is named, and the others are deleted all the same.
    """
    failed = 0
    for id in ids:
        try:
            gone = one(id)
        except (BadRequest, NotFound) as error:
            if len(ids) == 1:
                raise
            list_lines([("failed", f"{id}: {error}")])
            failed += 1
        else:
            printing.record(gone, printing.name, as_json=as_json)
    if failed:
        click.get_current_context().exit(SOME_FAILED if failed < len(ids) else FAILED)
