"""The jobs of ``embedsearch api fine-tune``."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from embedsearch import finetuning
from embedsearch.cli import options, spending
from embedsearch.cli.api import asking, files, printing, secrets, waiting
from embedsearch.cli.errors import FAILED
from embedsearch.cli.inputs import file_at
from embedsearch.cli.reports import list_lines
from embedsearch.cli.terminal import counted, note
from embedsearch.finetuning.tunable import AS_OF, DEFAULT_MODEL, tunable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from embedsearch import Client
    from embedsearch.client.types.fine_tuning import (
        FineTuningJob,
        FineTuningJobCheckpoint,
        FineTuningJobEvent,
    )
    from embedsearch.finetuning import Report

OVER = ("succeeded", "failed", "cancelled", "paused")


@click.command("create")
@click.argument("training", metavar="FILE|ID", type=secrets.UPLOAD)
@click.option(
    "--validation", metavar="FILE|ID", type=secrets.UPLOAD, help="Examples that are held out."
)
@secrets.allowing
@asking.of_model(DEFAULT_MODEL)
@click.option("--suffix", type=secrets.TEXT, help="A word for the name of the new model.")
@click.option("--epochs", type=click.IntRange(1, 50), help="Rounds of training.")
@click.option("--seed", type=int, help="Equal seeds make equal jobs, in most cases.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before it costs money.")
@waiting.of_waiting
@asking.extras
@asking.common
@click.pass_context
def create_(
    ctx: click.Context,
    *,
    training: str,
    validation: str | None,
    model: str,
    suffix: str | None,
    epochs: int | None,
    seed: int | None,
    yes: bool,
    wait: bool,
    every: float,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Train a model on the examples of a JSONL file, or of one that was uploaded; print the id.

    A file is checked first, as 'prepare' does it: nothing is uploaded when a line is at fault. The
    price is said and asked about.
    """
    report = _checked(training, validation, model, epochs)
    if report:
        cost = f"about {spending.dollars(report.cost)} (prices as of {AS_OF})"
        examples = counted(report.training.examples, "example")
        note(f"{examples}, {counted(report.billed, 'token')} to train on, {cost}")
        if not yes and report.cost >= spending.ASK_FROM:
            click.confirm("Begin?", abort=True, err=True)
    chosen = {"hyperparameters": {"n_epochs": epochs}}
    method = {"type": "supervised", "supervised": chosen} if epochs else None
    body = asking.said(suffix=suffix, seed=seed, method=method)
    with asking.client() as client:
        if validation:
            body["validation_file"] = files.id_of(client, validation, "fine-tune")
        job = client.fine_tuning.jobs.create(
            model=model,
            training_file=files.id_of(client, training, "fine-tune"),
            **body,
            extra_body=extra,
        )
        if wait:
            note(job.id)
            job = _awaited(client, job.id, every)
    _finish(ctx, job, as_json=as_json, line=printing.name)


def _checked(
    training: str, validation: str | None, model: str, epochs: int | None
) -> Report | None:
    """Return what is found in the files, ``None`` for files and models that can't be looked into.

    Raises ValueError where a job would not accept them; each line at fault is listed.
    """
    try:
        tunable(model)
    except ValueError:
        return None
    examples = file_at(training)
    if examples is None:
        return None
    held_out = file_at(validation) if validation else None
    report = finetuning.validate(
        _lines(examples),
        validation=_lines(held_out) if held_out else (),
        model=model,
        epochs=epochs,
    )
    names = {"training": training, "validation": validation}
    for problem in report.problems:  # one by one, so that each is named
        word = "failed" if problem.fatal else "warning"
        line = f":{problem.line}" if problem.line else ""
        list_lines([(word, f"{names[problem.file]}{line}: {problem}")])
    if report.fatal:
        raise ValueError(
            f"nothing was uploaded: {counted(len(report.fatal), 'fault')} in the files"
        )
    return report


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of JSON; what is not UTF-8 becomes what is no JSON either."""
    with path.open(encoding="utf-8", errors="backslashreplace") as lines:
        yield from (line.rstrip("\n") for line in lines)


def _awaited(client: Client, id: str, every: float) -> FineTuningJob:
    return waiting.wait(
        partial(client.fine_tuning.jobs.retrieve, id),
        over=OVER,
        described=described,
        again=f"embedsearch api fine-tune get {id} --wait",
        every=every,
    )


def described(job: FineTuningJob) -> str:
    """Return how far a job is: its state, and the model that came of it."""
    return f"{job.status}: {job.fine_tuned_model}" if job.fine_tuned_model else job.status


def _print(job: FineTuningJob) -> None:
    printing.row(job.id, described(job), job.model, printing.day(job.created_at))


def _finish(
    ctx: click.Context, job: FineTuningJob, *, as_json: bool, line: Callable[[FineTuningJob], None]
) -> None:
    printing.record(job, line, as_json=as_json)
    if not as_json and job.error and job.error.message:
        list_lines([("failed", job.error.message)])
    if job.status == "failed":
        ctx.exit(FAILED)


@click.command("get")
@click.argument("id_", metavar="ID")
@waiting.of_waiting
@asking.common
@click.pass_context
def get_(ctx: click.Context, *, id_: str, wait: bool, every: float, as_json: bool) -> None:
    """Say how far a job is, and the model that came of it; the exit code is 2 where it failed."""
    with asking.client() as client:
        retrieved = client.fine_tuning.jobs.retrieve
        job = _awaited(client, id_, every) if wait else retrieved(id_)
    _finish(ctx, job, as_json=as_json, line=_print)


@click.command("list")
@options.of_a_list
@asking.common
def list_(*, limit: int | None, as_json: bool) -> None:
    """List the jobs, newest first."""
    with asking.client() as client:
        printing.listed(client.fine_tuning.jobs.list(), limit, _print, as_json=as_json)


@click.command("events")
@click.argument("id_", metavar="ID")
@options.of_a_list
@asking.common
def events_(*, id_: str, limit: int | None, as_json: bool) -> None:
    """List what a job reports, the oldest first of the last so many."""
    with asking.client() as client:
        found = list(islice(client.fine_tuning.jobs.list_events(id_), limit))
    oldest_first = found if as_json else found[::-1]
    printing.records(oldest_first, _print_event, as_json=as_json)


def _print_event(event: FineTuningJobEvent) -> None:
    printing.row(printing.day(event.created_at), event.level, event.message)


@click.command("checkpoints")
@click.argument("id_", metavar="ID")
@asking.common
def checkpoints_(*, id_: str, as_json: bool) -> None:
    """List the models that a job leaves on its way: name, step, loss."""
    with asking.client() as client:
        found = list(client.fine_tuning.jobs.checkpoints.list(id_))
    printing.records(found, _print_checkpoint, as_json=as_json)


def _print_checkpoint(point: FineTuningJobCheckpoint) -> None:
    loss = point.metrics.train_loss if point.metrics else None
    told = "" if loss is None else f"loss {loss:.4f}"
    printing.row(point.fine_tuned_model_checkpoint, f"step {point.step_number}", told)


def _changing(verb: str, done: str) -> click.Command:
    """Make the command that changes a job's state."""

    @click.command(verb, help=done)
    @click.argument("id_", metavar="ID")
    @asking.common
    def change(*, id_: str, as_json: bool) -> None:
        with asking.client() as client:
            job = getattr(client.fine_tuning.jobs, verb)(id_)
        printing.record(job, _print, as_json=as_json)

    return change


cancel_ = _changing("cancel", "Stop a job for good.")
pause_ = _changing("pause", "Stop a job for now.")
resume_ = _changing("resume", "Go on with a job that was paused.")
