"""``embedsearch api moderate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli.api import asking, printing
from embedsearch.cli.terminal import counted, show
from embedsearch.errors import EmbedsearchError

if TYPE_CHECKING:
    from embedsearch.client.types.moderations import Moderation

DEFAULT_MODEL = "omni-moderation-latest"


@click.command("moderate")
@asking.each
@asking.of_model(DEFAULT_MODEL)
@asking.extras
@asking.common
def moderate_(
    *,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    model: str,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Judge each TEXT, and print a line for it: ok, or flagged and for what.

    '-' is stdin, a text a line.
    """
    lines = asking.several(texts, files)
    with asking.client() as client:
        answer = client.moderations.create(input=lines, model=model, extra_body=extra)
    if as_json:
        printing.whole(answer.to_dict())
        return
    if len(answer.results) != len(lines):
        came = f"expected {counted(len(lines), 'judgement')}, got {len(answer.results):,}"
        raise EmbedsearchError(came, hint="see the answer with --json")
    for result in answer.results:
        show(_verdict(result))


def _verdict(result: Moderation) -> str:
    """Return ``flagged: violence 0.98, ...``, the worst first."""
    if not result.flagged:
        return "ok"
    scores: dict[str, float] = result.category_scores or {}
    named = [name for name, is_it in (result.categories or {}).items() if is_it]
    named.sort(key=lambda name: -scores.get(name, 0))
    return f"flagged: {', '.join(f'{name} {scores.get(name, 0):.2f}' for name in named)}"
