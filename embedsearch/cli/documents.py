"""``embedsearch get``, ``ls`` and ``rm``: documents by their ids."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli import opening, options
from embedsearch.cli.errors import NOTHING_FOUND, SOME_FAILED
from embedsearch.cli.listing import as_json, show_records
from embedsearch.cli.places import document_id, shown
from embedsearch.cli.terminal import confirmed, counted, note, show, show_all, tell
from embedsearch.cli.unmet import say_nothing_meets
from embedsearch.errors import DocumentNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from embedsearch import Index
    from embedsearch.store.summaries import Summary


@click.command("get")
@click.argument("id_", metavar="ID")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
def get_(*, id_: str, db: Path | None, model: str | None, format_: str) -> None:
    """Print the text of a document, or of its chunk ID#N."""
    with opening.open_index(db, model) as opened, opened.snapshot() as index:
        record = _record(index, document_id(index, id_))
    if format_ == "json":
        show(as_json(record))
    elif text := record["text"]:
        show(text, end="" if text.endswith("\n") else "\n")


def _record(index: Index, id_: str) -> dict[str, Any]:
    document_id, _, position = id_.rpartition("#")
    if id_ not in index and position.isdecimal() and document_id in index:
        chunks = index.chunks(document_id)
        if int(position) < len(chunks):
            return {"chunk_id": id_, "document_id": document_id, **asdict(chunks[int(position)])}
    document = index.get(id_)
    return {
        "document_id": document.id,
        "text": document.text,
        "kind": document.kind,
        "metadata": dict(document.metadata),
    }


@click.command("ls")
@options.of_the_index
@options.conditions
@click.option("-l", "--long", is_flag=True, help="With chunks, characters and time.")
@click.option("--skipped", is_flag=True, help="List the files left out as binary; -l says why.")
@click.option("--unread", is_flag=True, help="List the files that could not be read; -l says why.")
@click.option(
    "--partial", is_flag=True, help="List the files read in part; -l says what is missing."
)
@options.null
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def ls_(
    ctx: click.Context,
    *,
    db: Path | None,
    model: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    long: bool,
    skipped: bool,
    unread: bool,
    partial: bool,
    null: bool,
    format_: str,
) -> None:
    """List the documents of the index, one id a line; or the files that were not read whole."""
    if null and format_ != "text":
        raise click.UsageError("-0 parts names, not records: leave it out, or --format")
    wanted = {"skipped": skipped, "unread": unread, "partial": partial}
    if any(wanted.values()) and (where or glob):
        raise click.UsageError(
            "--where and --glob choose documents: leave them out, or --skipped,"
            " --unread and --partial"
        )
    end = "\0" if null else "\n"
    with opening.open_index(db, model) as index:
        if any(wanted.values()):
            facts = index.status()
            files = [file for name in wanted if wanted[name] for file in getattr(facts, name)]
            _show_files(files, format_, long=long, end=end)
            some = bool(files)
        else:
            documents = index.documents(where=where, glob=glob)
            some = _show_documents(documents, format_, long=long, end=end)
            if not some:
                say_nothing_meets(index, where, glob)
    ctx.exit(0 if some else NOTHING_FOUND)


def _show_files(files: Sequence[tuple[str, str]], format_: str, *, long: bool, end: str) -> None:
    def line(file: dict[str, str]) -> str:
        return shown(file["path"]) + (f": {file['why']}" if long else "")

    records = [{"path": path, "why": why} for path, why in files]
    show_records(records, format_, name="files", line=line, columns=("path", "why"), end=end)


def _show_documents(documents: Iterator[Summary], format_: str, *, long: bool, end: str) -> bool:
    """Print a list of documents, as they come, and return whether there is any."""
    first = next(documents, None)
    found = chain([first], documents) if first else ()
    show_records(
        found if format_ == "text" else map(asdict, found),
        format_,
        name="documents",
        line=_long if long else _short,
        columns=("id", "chunks", "characters", "updated", "metadata"),
        end=end,
    )
    return first is not None


def _long(document: Summary) -> str:
    return f"{document.chunks:>7,} {document.characters:>12,}  {document.updated}  {document.id}"


def _short(document: Summary) -> str:
    return document.id


@click.command("rm")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@options.of_the_index
@options.conditions
@click.option(
    "--source",
    metavar="FOLDER",
    type=options.Place(),
    help="Forget a folder that was indexed, with its documents.",
)
@click.option("--dry-run", is_flag=True, help="Print the ids that would be removed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def rm_(
    ctx: click.Context,
    *,
    ids: tuple[str, ...],
    db: Path | None,
    model: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    source: Path | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove documents by id, all that meet --glob and --where, or a folder, from the index.

    No file is touched; a file in a folder that is indexed again comes back. Asks before it removes
    by condition or by folder, unless -y is given.
    """
    if [bool(ids), bool(glob or where), bool(source)].count(True) != 1:
        raise click.UsageError("name documents, or say --source, or --glob or --where")
    with opening.open_index(db, model) as index:
        given = [document_id(index, id_) for id_ in ids]
        listed = index.documents(where=where, glob=glob, source=source)
        named = given or [document.id for document in listed]
        if not named:
            say_nothing_meets(index, where, glob)
        here = [id_ for id_ in named if id_ in index]
        missing = sorted({*named} - {*here})
        if ids and not here:
            said = ", ".join(map(repr, missing))
            raise DocumentNotFound(f"no document {said} in the index", hint="see: embedsearch ls")
        for id_ in missing:
            tell(f"no document {id_!r} in the index")
        if dry_run:
            show_all(here)
        elif (here or source) and (ids or yes or not here or _confirmed(here)):
            removed = index.remove_source(source) if source else index.remove(here)
            note(f"{counted(removed, 'document')} removed")
    if not (here or source):
        ctx.exit(NOTHING_FOUND)
    ctx.exit(0 if len(here) == len(named) else SOME_FAILED)


def _confirmed(ids: Sequence[str]) -> bool:
    what = f"{counted(len(ids), 'document')}, {ids[0]!r} first"
    return confirmed("remove", what)
