"""What is sent to a provider: its price first, a question where it is high, then the limits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from embedsearch.cli import progress
from embedsearch.cli.terminal import counted, note
from embedsearch.embedders import is_remote
from embedsearch.transcribers import is_remote as is_remote_transcriber

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from embedsearch import Index
    from embedsearch.sync.report import SyncReport
    from embedsearch.sync.spending import Allowance, Estimate
    from embedsearch.transcribers import Transcriber

ASK_FROM = 0.10
"""US dollars from which is asked first; what has no known price is asked about, too."""


def taken_in(
    index: Index,
    take_in: Callable[..., SyncReport],
    *,
    embed: bool,
    allowance: Allowance,
    yes: bool,
) -> SyncReport:
    """Take texts in and embed them; before any is sent to a provider, say what it costs.

    ``take_in`` is called with ``embed``, ``allowance`` and ``progress``.
    """
    remote = embed and is_remote(index.embedder)
    with progress.shown() as listener:
        report = take_in(embed=embed and not remote, allowance=allowance, progress=listener)
    if not (remote and report.pending):
        return report
    planned = index.estimate()
    note(words(planned))
    if not yes and asks(planned, allowance):
        click.confirm("Send them?", abort=True, err=True)
    with progress.shown() as listener:
        done = index.embed_pending(allowance=allowance, progress=listener)
    return replace(report, seconds=report.seconds + done.seconds, **_embedded(report, done))


def ask_to_transcribe(
    index: Index,
    paths: Sequence[Path],
    transcriber: Transcriber,
    glob: Sequence[str],
    *,
    yes: bool,
) -> None:
    """Say what has to be transcribed; ask before a recording is sent to a provider.

    How long recordings are is not known before, so neither is the price.
    """
    amount = index.unheard(paths, transcriber, glob=glob)
    if not amount.recordings:
        return
    what = f"{counted(amount.recordings, 'recording')} ({amount.bytes / 1e6:,.1f} MB) to transcribe"
    if not is_remote_transcriber(transcriber):
        note(what)
        return
    price = transcriber.cost(60)
    told = "price not known" if price is None else f"{dollars(price)} a minute"
    note(f"{what} by {transcriber.host}, {told}")
    if not yes:
        click.confirm("Send them?", abort=True, err=True)


def _embedded(report: SyncReport, done: SyncReport) -> dict[str, Any]:
    return {
        "texts": done.texts,
        "tokens": done.tokens,
        "requests": done.requests,
        "cost": done.cost,
        "pending": done.pending,
        "failed": (*report.failed, *done.failed),
    }


def asks(planned: Estimate, allowance: Allowance) -> bool:
    """Whether to ask before so much is sent; a limit in dollars or tokens answers already."""
    limited = allowance.cost is not None or allowance.tokens is not None
    return not limited and (planned.cost is None or planned.cost >= ASK_FROM)


def words(planned: Estimate) -> str:
    """Return what embedding takes: ``12 passages (3,400 tokens) in 1 request, $0.0001 ...``."""
    tokens = counted(planned.tokens, "token")
    if planned.billed > planned.tokens:
        tokens += f", billed as some {planned.billed:,}"
    amount = f"{counted(planned.texts, 'passage')} ({tokens}) to embed"
    if planned.host is None:
        return amount
    parts = [f"{amount} by {planned.host} in {counted(planned.requests, 'request')}"]
    parts.append("price not known" if planned.cost is None else dollars(planned.cost))
    if planned.minutes is not None:
        parts.append(f"about {max(planned.minutes, 0.1):.1f} min at its limits")
    return ", ".join(parts)


def dollars(cost: float) -> str:
    """Return a price: to the cent where it has cents, else with two digits that tell."""
    return f"${cost:,.2f}" if cost >= 1 or cost == 0 else f"${Decimal(f'{cost:.2g}'):f}"
