"""``embedsearch label``: what people say that documents are."""

from __future__ import annotations

from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, cast

import click

from embedsearch.cli import inputs, opening, options, rows
from embedsearch.cli.errors import NOTHING_FOUND, SOME_FAILED
from embedsearch.cli.label_rows import LabelRows
from embedsearch.cli.listing import show_records
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import confirmed, counted, note, printable, tell
from embedsearch.cli.unmet import say_what_is_unmet
from embedsearch.readers.decoding import streamed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
@click.option(
    "--relabel",
    is_flag=True,
    help="Of a query or condition: replace other labels, too, that documents have.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def label_(
    ctx: click.Context,
    *,
    named: tuple[str, ...],
    db: Path | None,
    model: str | None,
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
    relabel: bool,
    yes: bool,
    format_: str,
) -> None:
    """Say what documents are: by id, by condition, by what a query finds, from a file, or asked.

    Without anything it shows the most useful next document and asks for its label, until you have
    enough: a dozen labels of each kind make a usable classifier (embedsearch train). New labels
    of a document that is named take the place of its old ones; of those that a query or a condition
    finds, the ones that have other labels keep them, unless --relabel is said.
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
            ctx.exit(_undo(index, format_))
        if file:
            with click.open_file(file, "rb") as opened:
                stream: IO[str] = streamed(cast("BufferedReader", opened))
                table = LabelRows(file, stream, from_ or rows.format_of(file), id_, label)
                ctx.exit(_from_table(index, table, format_))
        if not said:
            from embedsearch.cli.asking_labels import ask_for_labels  # with it comes scikit-learn

            ctx.exit(ask_for_labels(index, where=where, glob=glob))
        ids, source = _meant(index, named, k, where, glob)
        if clear or (source and not relabel):
            ids = _to_change(index, ids, as_)
        if source and ids and not yes:
            _confirm(index, ids, as_)
        given = dict.fromkeys(ids, as_)
        ctx.exit(_labelled(index, given, source or "command line", format_, clears=clear))


def _meant(
    index: Index,
    named: Sequence[str],
    k: int,
    where: Sequence[str],
    glob: Sequence[str],
) -> tuple[list[str], str]:
    """Return the documents that are named, or else found, and then by what."""
    if named:
        ids = [document_id(index, name) for name in named]
        if not (strange := [n for n, id_ in zip(named, ids, strict=True) if id_ not in index]):
            return ids, ""
        query = _query(named, strange)
        note(f"note: taken as a query: {query!r}")
        hits = index.search(query, k, group_by="document", where=where, glob=glob)
        found, source = [hit.document_id for hit in hits], f"query: {query}"
    else:
        found = [document.id for document in index.documents(where=where, glob=glob)]
        source = f"condition: {' '.join([*where, *glob])}"
    if not found:
        say_what_is_unmet(index, where, glob)
    return found, source


def _query(named: Sequence[str], strange: Sequence[str]) -> str:
    """Return the query that words make; raises UsageError where documents seem to be meant."""
    alone = len(named) == 1 and inputs.there(named[0])
    if alone or len(strange) < len(named) or all(map(inputs.looks_like_a_path, named)):
        raise click.UsageError(f"no document {strange[0]!r}: name documents, or say a query")
    if not "".join(named).strip():
        raise click.UsageError("the query is blank")
    return " ".join(named)


def _to_change(index: Index, ids: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return those that have no other labels than these or, to take labels away, any at all."""
    before = index.labels()
    if labels:
        left = {id_ for id_ in ids if _other(before.get(id_, ()), labels)}
        what = "with other labels left as they are: --relabel replaces them"
    else:
        left = {*ids} - before.keys()
        what = "without a label anyway"
    if left:
        note(f"note: {counted(len(left), 'document')} {what}")
    return [id_ for id_ in ids if id_ not in left]


def _other(before: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether some label of before is none of these."""
    return not {*before} <= {label.strip() for label in labels}


def _labelled(
    index: Index,
    given: Mapping[str, Sequence[str]],
    source: str,
    format_: str,
    *,
    clears: bool = False,
) -> int:
    """Label documents, say how many and which had other labels; return the exit code."""
    before = index.labels()
    done = index.label(given, source=source) if given else 0
    if format_ != "text":
        records = [{"document_id": id_, "labels": list(labels)} for id_, labels in given.items()]
        show_records(records, format_, name="labelled", line=str, columns=("document_id", "labels"))
    said = "without a label now" if clears else "labelled"
    anew = [id_ for id_, labels in given.items() if labels and _other(before.get(id_, ()), labels)]
    if anew:
        was = printable(f"{anew[0]} was {' and '.join(before[anew[0]])}")
        said += f", {len(anew):,} in place of other labels ({was})"
    note(f"{counted(done, 'document')} {said}")
    return 0 if done else NOTHING_FOUND


def _confirm(index: Index, ids: Sequence[str], labels: Sequence[str]) -> None:
    what = f"{counted(len(ids), 'document')} as {' and '.join(labels) or 'nothing'}"
    shown = ids[:SHOWN]
    for id_, text in zip(shown, index.texts(shown), strict=True):
        tell(f"{printable(id_)}  {printable(' '.join(text.split()))[:60]}")
    if len(ids) > SHOWN:
        tell(f"... and {len(ids) - SHOWN:,} more")
    confirmed("label", what)


def _list(index: Index, format_: str) -> int:
    with index.snapshot() as then:
        found = [
            {
                "document_id": row.document,
                "label": row.label,
                "at": row.at,
                "source": row.source,
                "waiting": waiting,
            }
            for waiting in (False, True)
            for row in then.labelled(waiting=waiting)
        ]
    columns = ("document_id", "label", "at", "source", "waiting")
    show_records(found, format_, name="labels", line=_label_line, columns=columns)
    return 0 if found else NOTHING_FOUND


def _label_line(row: dict[str, Any]) -> str:
    waits = "; waits, as there is no such document" if row["waiting"] else ""
    return f"{row['document_id']}  {row['label']}  ({row['source']}, {row['at'][:10]}{waits})"


def _undo(index: Index, format_: str) -> int:
    gone = index.undo_label()
    if gone is None:
        note("nothing was labelled")
        return NOTHING_FOUND
    if format_ != "text":
        columns = ("number", "at", "source", "documents")
        show_records([asdict(gone)], format_, name="undone", line=str, columns=columns)
    note(
        f"taken back: {counted(gone.documents, 'document')}, labelled at {gone.at}"
        f" ({printable(gone.source)})"
    )
    return 0


def _from_table(index: Index, table: LabelRows, format_: str) -> int:
    given: dict[str, list[str]] = {}
    for name, labels in table.read().items():
        given.setdefault(document_id(index, name), []).extend(labels)
    known = {name: labels for name, labels in given.items() if name in index}
    for failure in table.failed:
        tell(f"{failure.path}: {failure.why}")
    for name in given.keys() - known.keys():
        tell(f"no document {name!r} in the index")
    if several := [name for name, labels in known.items() if len(set(labels)) > 1]:
        what = f"{counted(len(several), 'document')} with several labels, {several[0]!r} first"
        note(f"note: {what}")
    done = _labelled(index, known, table.name, format_)
    return SOME_FAILED if known and (table.failed or len(known) < len(given)) else done
