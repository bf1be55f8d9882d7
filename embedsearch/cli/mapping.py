"""``embedsearch map``: the documents as points on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli import opening, options, outputs, progress
from embedsearch.cli.comparing import embedded
from embedsearch.cli.terminal import counted, note
from embedsearch.compare.page import page, points
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from pathlib import Path


@click.command("map")
@options.of_the_index
@options.conditions
@click.option(
    "-o",
    "--output",
    type=options.Place(dir_okay=False),
    required=True,
    help="The page to write; '-' is stdout.",
)
@outputs.force
@click.option(
    "--method",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    show_default=True,
    help="How dimensions are reduced to two.",
)
@click.option(
    "--by",
    metavar="KEY",
    default="cluster",
    show_default=True,
    help="What colours mean: cluster, label, predicted, or a key of the metadata: author.name.",
)
def map_(
    *,
    db: Path | None,
    model: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    output: Path,
    force: bool,
    method: Any,
    by: str,
) -> None:
    """Draw the documents as points on one HTML page: near is alike; hover, search, colour.

    The page holds everything it needs, and the first lines of each document.
    """
    to_stdout = str(output) == "-"
    if not to_stdout:
        outputs.claim_page(output, force=force, inputs=[opening.database(db)])
    with opening.open_index(db, model) as index, progress.working("drawing"):
        found = embedded(index, where, glob)
        drawn = points(index, found, by=by, method=method)
    with click.open_file("-", "wb") if to_stdout else replacing(output) as file:
        file.write(page(drawn, by=by).encode())
    of = f" of {drawn.total:,}, drawn at random," if drawn.total > len(drawn.ids) else ""
    if not to_stdout:
        note(f"{counted(len(drawn.ids), 'document')}{of} on {output}")
