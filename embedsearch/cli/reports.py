"""What a run did, in one line and an exit code."""

from __future__ import annotations

from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING

import click

from embedsearch.cli import spending, terminal
from embedsearch.cli.errors import NOTHING_FOUND, SOME_FAILED
from embedsearch.cli.listing import as_json
from embedsearch.cli.places import shown
from embedsearch.cli.progress import tokens
from embedsearch.cli.terminal import counted, first, printable, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.sync.report import Failure, SyncReport
    from embedsearch.sync.spending import Estimate

FAILURES_SHOWN = 20

_CHANGES = ("added", "updated", "renamed", "removed", "unchanged")


def finish(ctx: click.Context, report: SyncReport, *, nothing: str, format_: str) -> None:
    """Print what a run did, and exit with what that means; ``nothing`` says what was not found."""
    if format_ == "json":
        terminal.show(as_json(asdict(report)))
    else:
        seen = _seen(report) or report.pending
        terminal.note(summary(report) if seen else _without(report, nothing))
        list_failures(report)
        _note_missing(report)
        _note_unknown(report)
    _exit(ctx, report)


def finish_rehearsal(
    ctx: click.Context, report: SyncReport, planned: Estimate, *, nothing: str, format_: str
) -> None:
    """Print what a run would do: that is data, so on stdout."""
    if format_ == "json":
        terminal.show(as_json(asdict(report)))
    else:
        plan = "; ".join([*_changes(report), spending.words(planned)])
        terminal.show(plan if _seen(report) else _without(report, nothing))
        list_failures(report)
        _note_missing(report)
    _exit(ctx, report)


def _exit(ctx: click.Context, report: SyncReport) -> None:
    if report.failed:
        ctx.exit(SOME_FAILED)
    if not _seen(report):
        ctx.exit(NOTHING_FOUND)


def _seen(report: SyncReport) -> int:
    return sum(_counts(report).values()) + report.unheard + len(report.failed)


def _without(report: SyncReport, nothing: str) -> str:
    return "; ".join([nothing, *_changes(report)])


def _counts(report: SyncReport) -> dict[str, int]:
    return {change: getattr(report, change) for change in _CHANGES}


def summary(report: SyncReport) -> str:
    """Return a report in one line: ``12 added, 530 unchanged; 1,240 passages embedded ...``."""
    parts = [*_changes(report)]
    if report.texts:
        passages = counted(report.texts, "passage")
        parts.append(f"{passages} ({tokens(report.tokens)}) embedded{_paid(report)}")
    if report.pending:
        parts.append(f"{counted(report.pending, 'passage')} left to embed")
    return f"{'; '.join(parts)}, in {report.seconds:.1f} s"


def _paid(report: SyncReport) -> str:
    """Return what a provider was asked and paid, nothing for a model that runs here."""
    if not report.requests:
        return ""
    price = "price not known" if report.cost is None else spending.dollars(report.cost)
    return f" in {counted(report.requests, 'request')}, {price}"


def _changes(report: SyncReport) -> list[str]:
    changes = _counts(report).items()
    parts = [", ".join(f"{count:,} {change}" for change, count in changes if count)]
    if report.replaced:
        parts.append(f"{counted(report.replaced, 'row')} replaced by a later one of the same id")
    if report.unheard:
        parts.append(f"{counted(report.unheard, 'recording')} to transcribe")
    if report.skipped:
        parts.append(f"{counted(report.skipped, 'binary file')} skipped")
    if report.failed:
        parts.append(f"{len(report.failed):,} failed")
    return [part for part in parts if part]


def list_failures(report: SyncReport) -> None:
    """Say on stderr which files could not be read, in part or at all, and why."""
    list_lines([("failed", _line(failure)) for failure in report.failed])
    if not terminal.is_quiet():
        list_lines([("warning", _line(failure)) for failure in report.partial])


def _note_missing(report: SyncReport) -> None:
    for folder in map(shown, report.missing):
        terminal.note(
            f"note: {printable(folder)} is not there, its documents are kept;"
            f" if it is gone for good: embedsearch rm --source {quote(folder)}; if it was renamed,"
            " forget its new name likewise where that is indexed, then index it:"
            " ids and labels stay"
        )


def _note_unknown(report: SyncReport) -> None:
    if report.unknown:
        passages = counted(report.unknown, "passage")
        terminal.note(
            f"note: {passages} (the first in {shown(report.first_unknown)}) mostly in signs that"
            " the model can't read: only words find them, not meaning"
        )


def _line(failure: Failure) -> str:
    return f"{shown(failure.path)}: {failure.why}"


def list_lines(lines: Sequence[tuple[str, str]]) -> None:
    """Write the first of many lines on stderr, each after a word for it."""

    def drawn(said: tuple[str, str]) -> str:
        return f"{click.style(f'{said[0]}:', fg='red')} {printable(said[1])}"

    for line in first(FAILURES_SHOWN, lines, "as JSON, all are listed", line=drawn):
        write(line)
