"""``embedsearch label``: what people say that documents are."""

from __future__ import annotations

from dataclasses import asdict
from typing import IO, TYPE_CHECKING, cast

import click

from embedsearch.cli import opening, options, rows
from embedsearch.cli.errors import NOTHING_FOUND, SOME_FAILED
from embedsearch.cli.listing import show_records
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import confirmed, counted, note, printable
from embedsearch.readers.decoding import streamed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BufferedReader
    from pathlib import Path

    from embedsearch import Index


SHOWN = 20
"""How many of the documents that are to be labelled are shown."""


@click.command("label")
@click.argument("named", metavar="[ID...|QUERY]", nargs=-1)
@options.of_the_index
@click.option("--as", "as_", metavar="LABEL", multiple=True, help="The label; several for several.")
@click.option("--clear", is_flag=True, help="Take the labels of these documents away.")
@click.option(
    "-k",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Of a query: so many documents.",
)
@click.option(
    "--file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Labels of many: a row an id and a label; '-' is stdin.",
)
@click.option("--id", "id_", metavar="COLUMN", default="id", show_default=True, help="The ids.")
@click.option(
    "--label", "label", metavar="COLUMN", default="label", show_default=True, help="The labels."
)
@options.from_
@options.conditions
@click.option("--list", "list_", is_flag=True, help="List the labels there are.")
@click.option("--undo", is_flag=True, help="Take back the latest labelling.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def label_(
    ctx: click.Context,
    *,
    named: tuple[str, ...],
    db: Path | None,
    model: str | None,
    quiet: bool,
    as_: tuple[str, ...],
    clear: bool,
    k: int,
    file: str | None,
    id_: str,
    label: str,
    from_: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    list_: bool,
    undo: bool,
    yes: bool,
    format_: str,
) -> None:
    """Say what documents are: by id, by condition, by what a query finds, from a file, or asked.

    Without anything it shows the most useful next document and asks for its label, until you have
    enough: a dozen labels of each kind make a usable classifier (embedsearch train). New labels
    of a document take the place of its old ones.
    """
    said = bool(as_ or clear)
    if [bool(named) or said, bool(file), list_, undo].count(True) > 1 or (as_ and clear):
        raise click.UsageError("say --as, --clear, --file, --list or --undo: one of them")
    if (file or list_ or undo) and (glob or where):
        raise click.UsageError("--glob and --where are about documents to label or to ask of")
    if said != bool(named or glob or where) and (said or named):
        raise click.UsageError("say which documents, and --as LABEL or --clear")
    with opening.open_index(db, model) as index:
        if list_:
            ctx.exit(_list(index, format_))
        if undo:
            ctx.exit(_undo(index, quiet=quiet))
        if file:
            ctx.exit(_from_file(index, file, rows.Columns(id_, (label,)), from_, quiet=quiet))
        if not said:
            from embedsearch.cli.asking_labels import ask_for_labels  # with it comes scikit-learn

            ctx.exit(ask_for_labels(index, where=where, glob=glob))
        ids, source = _meant(index, named, k, where, glob)
        if source and ids and not yes:
            _confirm(index, ids, as_)
        done = index.label(dict.fromkeys(ids, as_), source=source or "command line")
    note(f"{counted(done, 'document')} labelled", quiet=quiet)
    ctx.exit(0 if done else NOTHING_FOUND)


def _meant(
    index: Index, named: Sequence[str], k: int, where: Sequence[str], glob: Sequence[str]
) -> tuple[list[str], str]:
    """Return the documents that are named, or else found, and then by what."""
    if not named:
        condition = " ".join([*where, *glob])
        return [d.id for d in index.documents(where=where, glob=glob)], f"condition: {condition}"
    ids = [document_id(index, name) for name in named]
    known = [id_ for id_ in ids if id_ in index]
    if len(known) == len(ids):
        return ids, ""
    if known:
        strange = next(id_ for id_ in ids if id_ not in index)
        raise click.UsageError(f"no document {strange!r}: name documents, or say a query")
    query = " ".join(named)
    hits = index.search(query, k, group_by="document", where=where, glob=glob)
    return [hit.document_id for hit in hits], f"query: {query}"


def _confirm(index: Index, ids: Sequence[str], labels: Sequence[str]) -> None:
    what = f"{counted(len(ids), 'document')} as {' and '.join(labels) or 'nothing'}"
    shown = ids[:SHOWN]
    for id_, text in zip(shown, index.texts(shown), strict=True):
        note(f"{printable(id_)}  {printable(' '.join(text.split()))[:60]}")
    if len(ids) > SHOWN:
        note(f"... and {len(ids) - SHOWN:,} more")
    confirmed("label", what)


def _list(index: Index, format_: str) -> int:
    found = [asdict(row) for row in index.labelled()]
    show_records(
        found,
        format_,
        name="labels",
        line=lambda row: f"{row['document']}  {row['label']}  ({row['source']}, {row['at'][:10]})",
        columns=("document", "label", "at", "source"),
    )
    return 0 if found else NOTHING_FOUND


def _undo(index: Index, *, quiet: bool) -> int:
    gone = index.undo_label()
    if gone is None:
        note("nothing was labelled")
        return NOTHING_FOUND
    note(
        f"taken back: {counted(gone.documents, 'document')}, labelled at {gone.at}"
        f" ({printable(gone.source)})",
        quiet=quiet,
    )
    return 0


def _from_file(
    index: Index, file: str, columns: rows.Columns, from_: str | None, *, quiet: bool
) -> int:
    with click.open_file(file, "rb") as opened:
        stream: IO[str] = streamed(cast("BufferedReader", opened))
        table = rows.Table(file, stream, from_ or rows.format_of(file), columns)
        given: dict[str, list[str]] = {}
        for row in table.documents():
            given.setdefault(document_id(index, row.id), []).append(row.text)
    known = {id_: labels for id_, labels in given.items() if id_ in index}
    for failure in table.failed:
        note(f"{failure.path}: {failure.why}")
    for id_ in given.keys() - known.keys():
        note(f"no document {id_!r} in the index")
    several = [id_ for id_, labels in known.items() if len(set(labels)) > 1]
    if several:
        shown = ", ".join(map(repr, several[:5])) + (", ..." if len(several) > 5 else "")
        note(f"{counted(len(several), 'document')} with several different labels: {shown}")
    index.label(known, source=file)
    note(f"{counted(len(known), 'document')} labelled", quiet=quiet)
    return SOME_FAILED if table.failed or len(known) < len(given) else 0
