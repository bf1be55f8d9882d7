"""``embedsearch api batch``."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from embedsearch.cli import options
from embedsearch.cli.api import asking, files, printing, secrets, waiting
from embedsearch.cli.errors import FAILED, NOTHING_FOUND, SOME_FAILED
from embedsearch.cli.inputs import file_at
from embedsearch.cli.late import Group
from embedsearch.cli.reports import list_lines
from embedsearch.cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedsearch.client.types.files import Batch

OVER = ("completed", "failed", "expired", "cancelled")


@click.group("batch", cls=Group)
def batch_() -> None:
    """Have requests in a file answered within a day, at half the price."""


@batch_.command("create")
@click.argument("requests", metavar="FILE|ID", type=secrets.UPLOAD)
@secrets.allowing
@click.option("--endpoint", metavar="PATH", help="Else the url in the first line of FILE.")
@waiting.of_waiting
@asking.common
@click.pass_context
def create_(
    ctx: click.Context,
    *,
    requests: str,
    endpoint: str | None,
    wait: bool,
    every: float,
    as_json: bool,
) -> None:
    """Hand in the requests of a JSONL file, or of one that was uploaded; print the batch's id."""
    if endpoint is None:
        endpoint = _endpoint(requests)
    with asking.client() as client:
        batch = client.batches.create(
            completion_window="24h",
            endpoint=endpoint,
            input_file_id=files.id_of(client, requests, "batch"),
        )
        if wait:
            note(batch.id)
            batch = _awaited(partial(client.batches.retrieve, batch.id), batch.id, every)
    _finish(ctx, batch, as_json=as_json, line=printing.name)


def _endpoint(requests: str) -> str:
    """Return the url of a file's first request."""
    path = file_at(requests)
    if path is None:
        raise click.UsageError(
            f"no file {requests}: for one that was uploaded, name its --endpoint"
        )
    with path.open(encoding="utf-8", errors="backslashreplace") as lines:
        first = lines.readline()
    try:
        return str(json.loads(first)["url"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}:1: expected {{"custom_id", "method", "url", "body"}}, got {first[:100]!r}'
        ) from error


def _awaited(fetch: Callable[[], Batch], id: str, every: float) -> Batch:
    again = f"embedsearch api batch get {id} --wait"
    return waiting.wait(fetch, over=OVER, described=described, again=again, every=every)


def described(batch: Batch) -> str:
    """Return how far a batch is: ``in_progress, 12 of 40 done, 1 failed``."""
    counts = batch.request_counts
    if counts is None or not counts.total:
        return batch.status
    failed = f", {counts.failed:,} failed" if counts.failed else ""
    return f"{batch.status}, {counts.completed:,} of {counts.total:,} done{failed}"


def _finish(
    ctx: click.Context, batch: Batch, *, as_json: bool, line: Callable[[Batch], None]
) -> None:
    printing.record(batch, line, as_json=as_json)
    if not as_json:
        faults = (batch.errors and batch.errors.data) or []
        list_lines([("failed", f"line {f.line}: {f.message}") for f in faults])
    if batch.status in {"failed", "expired", "cancelled"}:
        ctx.exit(FAILED)
    if batch.request_counts and batch.request_counts.failed:
        ctx.exit(SOME_FAILED)


@batch_.command("get")
@click.argument("id_", metavar="ID")
@waiting.of_waiting
@asking.common
@click.pass_context
def get_(ctx: click.Context, *, id_: str, wait: bool, every: float, as_json: bool) -> None:
    """Say how far a batch is; the exit code is 2 where it failed, 3 where requests in it did."""
    with asking.client() as client:
        fetch = partial(client.batches.retrieve, id_)
        batch = _awaited(fetch, id_, every) if wait else fetch()
    _finish(ctx, batch, as_json=as_json, line=_print)


def _print(batch: Batch) -> None:
    printing.row(batch.id, described(batch), batch.endpoint, printing.day(batch.created_at))


@batch_.command("list")
@options.of_a_list
@asking.common
def list_(*, limit: int | None, as_json: bool) -> None:
    """List the batches, newest first."""
    with asking.client() as client:
        printing.listed(client.batches.list(), limit, _print, as_json=as_json)


@batch_.command("cancel")
@click.argument("id_", metavar="ID")
@asking.common
def cancel_(*, id_: str, as_json: bool) -> None:
    """Stop a batch; what is done stays done."""
    with asking.client() as client:
        batch = client.batches.cancel(id_)
    printing.record(batch, _print, as_json=as_json)


@batch_.command("results")
@click.argument("id_", metavar="ID")
@click.option("--errors", is_flag=True, help="The requests that failed, in place of the answers.")
@asking.to_file
@options.of_a_server
@click.pass_context
def results_(
    ctx: click.Context,
    *,
    id_: str,
    errors: bool,
    output: str | None,
    force: bool,
) -> None:
    """Fetch the answers of a batch, a line of JSON each, to stdout or into -o FILE."""
    printing.claim(output, force=force)
    with asking.client() as client:
        batch = client.batches.retrieve(id_)
        file = batch.error_file_id if errors else batch.output_file_id
        if file is None:
            note(f"nothing to fetch: {described(batch)}")
            ctx.exit(NOTHING_FOUND)
        files.fetched(client, file, output)
