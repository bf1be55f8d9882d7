"""``embedsearch api fine-tune prepare``: examples made of tables, checked before any upload."""

from __future__ import annotations

import json
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from embedsearch import finetuning
from embedsearch.cli import options, rows
from embedsearch.cli.errors import SOME_FAILED
from embedsearch.cli.reports import list_lines
from embedsearch.cli.terminal import counted, show
from embedsearch.finetuning.tunable import AS_OF, DEFAULT_MODEL, tunable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.finetuning import Problem, Report


@click.command("prepare")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where training.jsonl and validation.jsonl are written.",
)
@click.option("--prompt", metavar="COLUMN", help="The texts or questions.")
@click.option("--answer", metavar="COLUMN", help="The labels or answers.")
@click.option("--system", metavar="TEXT", help="An instruction before each example.")
@click.option(
    "-m",
    "--model",
    metavar="NAME",
    default=DEFAULT_MODEL,
    show_default=True,
    help="The model to be tuned: its longest example and price.",
)
@click.option(
    "--validation",
    metavar="SHARE",
    type=options.Number(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="The share of examples held out.",
)
@click.option("--epochs", type=click.IntRange(1, 50), help="Rounds of training, for the cost.")
@options.from_
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def prepare_(
    ctx: click.Context,
    *,
    file: str,
    output: Path,
    prompt: str | None,
    answer: str | None,
    system: str | None,
    model: str,
    validation: float,
    epochs: int | None,
    from_: str | None,
    format_: str,
) -> None:
    """Make examples of the rows of FILE: labelled texts, questions and answers, or chats.

    Without --prompt and --answer the columns are text and label, question and answer, prompt and
    completion, or input and output; a column messages holds whole chats. A row at fault is named
    and left out. Nothing is uploaded.
    """
    if (prompt is None) != (answer is None):
        raise click.UsageError("name both --prompt and --answer, or neither")
    with click.open_file(file, encoding="utf-8-sig") as stream:
        prepared = finetuning.prepare(
            _numbered(file, stream, from_ or rows.format_of(file)),
            columns=(prompt, answer) if prompt and answer else None,
            system=system,
            model=model,
            validation=validation,
            epochs=epochs,
        )
    report = prepared.report
    if format_ == "text":
        of_lines = sorted((p for p in report.problems if p.line), key=attrgetter("line"))
        list_lines([_line(file, problem) for problem in of_lines])
    for problem in report.fatal:
        if problem.kind == "few":
            raise ValueError(str(problem))
    paths = [str(path) for path in finetuning.write(prepared, output)]
    show(_as_json(report, paths) if format_ == "json" else "\n".join(_lines(report, paths)))
    if report.fatal:
        ctx.exit(SOME_FAILED)


def _numbered(file: str, stream: IO[str], format_: str) -> Iterator[tuple[int, Any]]:
    for number, row in rows.read(file, stream, format_):
        try:
            yield number, rows.as_object(row)
        except rows.RowError as error:
            yield number, finetuning.Fault("json", "a row of the table", f"one that {error}")


def _line(file: str, problem: Problem) -> tuple[str, str]:
    return "failed" if problem.fatal else "warning", f"{file}:{problem.line}: {problem}"


def _as_json(report: Report, paths: list[str]) -> str:
    record = {"schema_version": 1, **asdict(report), "prices_as_of": AS_OF, "files": paths}
    return json.dumps(record, ensure_ascii=False)


def _lines(report: Report, paths: list[str]) -> Iterator[str]:
    training, held_out = report.training, report.validation
    yield (
        f"{counted(training.examples, 'example')} for training, {held_out.examples:,} for "
        f"validation; the longest has {training.longest:,} of "
        f"{tunable(report.model).longest:,} tokens"
    )
    yield (
        f"{counted(training.tokens, 'token')} x {counted(report.epochs, 'epoch')} = "
        f"{report.billed:,}: ${report.cost:.2f} to train {report.model} (prices as of {AS_OF})"
    )
    yield f"written: {', '.join(paths)}"
