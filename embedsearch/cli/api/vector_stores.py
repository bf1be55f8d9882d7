"""``embedsearch api vector-store``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from embedsearch.cli import options
from embedsearch.cli.api import asking, deleting, files, printing, secrets, waiting
from embedsearch.cli.errors import FAILED, SOME_FAILED
from embedsearch.cli.late import Group
from embedsearch.cli.terminal import show

if TYPE_CHECKING:
    from embedsearch.client.types.vector_stores import (
        FileCounts,
        VectorStore,
        VectorStoreFileBatch,
        VectorStoreSearchResult,
    )

MOST_FOUND = 50
"""Of one search, by the API reference."""

store = click.argument("store", metavar="STORE")


@click.group("vector-store", cls=Group)
def vector_store_() -> None:
    """Files that the provider itself cuts, embeds and searches."""


@vector_store_.command("list")
@options.of_a_list
@asking.common
def list_(*, limit: int | None, as_json: bool) -> None:
    """List the stores, newest first: id, name, files, bytes, day."""
    with asking.client() as client:
        printing.listed(client.vector_stores.list(), limit, _print, as_json=as_json)


def _print(store: VectorStore) -> None:
    size, day = f"{store.usage_bytes:,} bytes", printing.day(store.created_at)
    printing.row(store.id, store.name, _done(store.file_counts), size, day)


def _done(counts: FileCounts | None) -> str:
    """Return how far files are: ``12 of 40 files, 1 failed``."""
    if counts is None:
        return ""
    failed = f", {counts.failed:,} failed" if counts.failed else ""
    return f"{counts.completed:,} of {counts.total:,} files{failed}"


@vector_store_.command("create")
@click.argument("name", type=secrets.TEXT)
@secrets.allowing
@asking.extras
@asking.common
def create_(*, name: str, extra: dict[str, object], as_json: bool) -> None:
    """Make an empty store, and print its id."""
    with asking.client() as client:
        made = client.vector_stores.create(name=name, extra_body=extra)
    printing.record(made, printing.name, as_json=as_json)


@vector_store_.command("add")
@store
@click.argument("given", metavar="FILE|ID...", nargs=-1, required=True, type=secrets.UPLOAD)
@secrets.allowing
@waiting.of_waiting
@asking.common
@click.pass_context
def add_(
    ctx: click.Context,
    *,
    store: str,
    given: tuple[str, ...],
    wait: bool,
    every: float,
    as_json: bool,
) -> None:
    """Add files to STORE, uploaded first where they are here; exit code 3 where some failed."""
    with asking.client() as client:
        ids = [files.id_of(client, one, "assistants") for one in given]
        batch = client.vector_stores.file_batches.create(store, file_ids=ids)
        if wait:
            batch = waiting.wait(
                partial(
                    client.vector_stores.file_batches.retrieve, batch.id, vector_store_id=store
                ),
                over=("completed", "failed", "cancelled"),
                described=_described,
                again="embedsearch api vector-store list",
                every=every,
            )
    printing.record(batch, printing.name, as_json=as_json)
    if batch.status == "failed":
        ctx.exit(FAILED)
    if batch.file_counts and batch.file_counts.failed:
        ctx.exit(SOME_FAILED)


def _described(batch: VectorStoreFileBatch) -> str:
    return f"{batch.status}, {_done(batch.file_counts)}"


@vector_store_.command("search")
@store
@asking.texts
@click.option("-k", type=click.IntRange(1, MOST_FOUND), default=10, show_default=True)
@asking.extras
@asking.common
def search_(
    *,
    store: str,
    words: tuple[str, ...],
    files: tuple[str, ...],
    k: int,
    extra: dict[str, object],
    as_json: bool,
) -> None:
    """Search STORE for TEXT ('-' is stdin): score, id and name of a file, then its passages."""
    query = asking.text(words, files)
    with asking.client() as client:
        search = client.vector_stores.search(
            store, query=query, max_num_results=k, extra_body=extra
        )
        printing.listed(search, k, _print_found, as_json=as_json)


def _print_found(found: VectorStoreSearchResult) -> None:
    printing.row(f"{found.score:.3f}", found.file_id, found.filename)
    for passage in found.content or []:
        for line in (passage.text or "").splitlines():
            show(f"  {line}")


@vector_store_.command("delete")
@click.argument("stores", metavar="STORE...", nargs=-1, required=True)
@asking.common
def delete_(*, stores: tuple[str, ...], as_json: bool) -> None:
    """Delete stores, and print the ids of those that are gone; the files stay."""
    with asking.client() as client:
        deleting.delete(stores, client.vector_stores.delete, as_json=as_json)
