"""``embedsearch api embed``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli.api import asking, printing
from embedsearch.cli.errors import FAILED, SOME_FAILED
from embedsearch.cli.reports import list_lines
from embedsearch.cli.terminal import counted, note, show
from embedsearch.client.stopping import stopped_by_signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.client.job import Embedded
    from embedsearch.errors import InputRefused

    Vectors = NDArray[np.float32]

DEFAULT_MODEL = "text-embedding-3-small"


@click.command("embed")
@asking.each
@asking.of_model(DEFAULT_MODEL)
@click.option("--dimensions", type=click.IntRange(min=1), help="How long the vectors shall be.")
@asking.to_file
@asking.extras
@asking.common
@click.pass_context
def embed_(
    ctx: click.Context,
    *,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    model: str,
    dimensions: int | None,
    output: str | None,
    force: bool,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Print the vector of each TEXT as a line of JSON; '-' is stdin, a text a line.

    With -o FILE.npy they are saved as one float32 array of numpy's, a row a text. As many requests
    are sent as it takes. A text that is refused is named; its line is null, its row NaN, and the
    exit code 3.
    """
    lines = asking.several(texts, files)
    printing.claim(output, force=force)
    found = _Found(len(lines))
    flows = not as_json and output in {None, "-"}
    with stopped_by_signals() as stop, asking.client() as client:
        try:
            for part in client.embeddings.create_many(
                lines,
                model=model,
                dimensions=dimensions,
                label=asking.places(lines, texts, files).__getitem__,
                on_refused=found.refuse,
                extra_body=extra,
                stop=stop,
            ):
                found.take(part)
                if flows:
                    found.show_next()
        finally:  # Whatever ended it, what came was paid for.
            if found.any:
                _keep(found, output, model, force=force, as_json=as_json)
    if not found.all:
        ctx.exit(SOME_FAILED if found.any else FAILED)


class _Found:
    """The vectors of texts as they come, each where its text stands; NaN where there is none."""

    def __init__(self, count: int) -> None:
        import numpy as np

        self.vectors: Vectors = np.empty((count, 0), np.float32)
        self.came = np.zeros(count, np.bool_)
        self.tokens = 0
        self._settled = np.zeros(count, np.bool_)
        self._shown = 0

    def take(self, part: Embedded) -> None:
        """Take the vectors of some."""
        import numpy as np

        self.tokens += part.tokens
        if part.positions:
            if not self.any:
                shape = len(self.came), part.vectors.shape[1]
                self.vectors = np.full(shape, np.nan, np.float32)
            self.vectors[part.positions] = part.vectors
            self.came[part.positions] = self._settled[part.positions] = True

    def refuse(self, refused: InputRefused) -> None:
        """Name a text that has none."""
        self._settled[refused.position] = True
        list_lines([("failed", f"{refused.label}: {refused.reason}")])

    @property
    def any(self) -> bool:
        """Whether a vector came."""
        return bool(self.vectors.shape[1])

    @property
    def all(self) -> bool:
        """Whether every text has one."""
        return bool(self.came.all())

    def show_next(self) -> None:
        """Print the lines up to the first text that is still waited for."""
        waiting = (~self._settled).nonzero()[0]
        self._show(int(waiting[0]) if len(waiting) else len(self.came))

    def show_rest(self) -> None:
        """Print the lines up to the last text that was answered: others may lie between."""
        self._show(int(self._settled.nonzero()[0][-1]) + 1)

    def _show(self, stop: int) -> None:
        if self.any:
            for n in range(self._shown, stop):
                show(json.dumps(_written(self.vectors[n]) if self.came[n] else None))
                self._shown = n + 1


def _keep(found: _Found, output: str | None, model: str, *, force: bool, as_json: bool) -> None:
    """Save or print what came and is not printed yet."""
    if output and output != "-":
        import numpy as np

        with printing.saving(Path(output), force=force) as file:
            np.save(file, found.vectors)
    elif as_json:
        printing.whole(_answer(found, model))
    else:
        found.show_rest()
    if not as_json:
        came = "" if found.all else f"{found.came.sum():,} of "
        note(f"{came}{counted(len(found.came), 'text')}, {counted(found.tokens, 'token')}")


def _answer(found: _Found, model: str) -> dict[str, Any]:
    """Return the vectors in the form of the API's answer, whatever requests they took."""
    data = [
        {"object": "embedding", "index": n, "embedding": _written(found.vectors[n])}
        for n in found.came.nonzero()[0].tolist()
    ]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def _written(row: Vectors) -> list[float]:
    """Return numbers that are written with the digits a float32 has, not those of a float64."""
    return [float(str(value)) for value in row]
