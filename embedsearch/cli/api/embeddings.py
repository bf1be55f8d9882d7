"""``embedsearch api embed``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli.api import asking, printing
from embedsearch.cli.terminal import counted, note, show
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DEFAULT_MODEL = "text-embedding-3-small"


@click.command("embed")
@asking.each
@asking.of_model(DEFAULT_MODEL)
@click.option("--dimensions", type=click.IntRange(min=1), help="How long the vectors shall be.")
@asking.to_file
@asking.extras
@asking.common
def embed_(
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
    are sent as it takes.
    """
    lines = asking.several(texts, files)
    printing.claim(output, force=force)
    vectors, tokens = _embedded(lines, model, dimensions, extra)
    if output and output != "-":
        _save(Path(output), vectors, force=force)
    elif as_json:
        printing.whole(_answer(vectors, model, tokens))
    else:
        for row in vectors:
            show(json.dumps(_written(row)))
    if not as_json:
        note(f"{counted(len(lines), 'text')}, {counted(tokens, 'token')}")


def _embedded(
    texts: list[str], model: str, dimensions: int | None, extra: dict[str, Any]
) -> tuple[Vectors, int]:
    """Return the vectors (n, d) of texts and the tokens billed."""
    import numpy as np

    with asking.client() as client:
        parts = list(
            client.embeddings.create_many(
                texts, model=model, dimensions=dimensions, extra_body=extra
            )
        )
    found = [part for part in parts if part.positions]
    vectors = np.empty((len(texts), found[0].vectors.shape[1]), np.float32)
    for part in found:
        vectors[part.positions] = part.vectors
    return vectors, sum(part.tokens for part in parts)


def _save(path: Path, vectors: Vectors, *, force: bool) -> None:
    import numpy as np

    with replacing(path) if force else path.open("xb") as file:
        np.save(file, vectors)
    show(str(path))


def _answer(vectors: Vectors, model: str, tokens: int) -> dict[str, Any]:
    """Return the vectors in the form of the API's answer, whatever requests they took."""
    data = [
        {"object": "embedding", "index": n, "embedding": _written(row)}
        for n, row in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def _written(row: Vectors) -> list[float]:
    """Return numbers that are written with the digits a float32 has, not those of a float64."""
    return [float(str(value)) for value in row]
