"""What a sync costs where nothing, or only names, changed: 10,000 files.

Vectors come from ``embedsearch.testing.HashEmbedder``: no step measured here embeds anything.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch import Index
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 10_000
ROUNDS = 7


def make(root: Path) -> None:
    for n in range(FILES):
        folder = root / f"part{n % 100:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{n}.txt").write_text(f"Note {n} says {n * n} in a few words.\n")


def walk(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 -- the bare calls


def seconds(job: Callable[[], object]) -> float:
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        root.mkdir()
        make(root)
        with Index.open(Path(folder) / "index", HashEmbedder()) as index:
            index.sync(root)
            pairs = [
                (seconds(lambda: walk(root)), seconds(lambda: index.sync(root)))
                for _ in range(ROUNDS)
            ]
            for path in list(root.rglob("*.txt")):
                path.rename(path.with_name(f"renamed-{path.name}"))
            report = index.sync(root)
    result = {
        "files": FILES,
        "walk_and_stat_ms": round(1000 * statistics.median(walked for walked, _ in pairs), 1),
        "unchanged_sync_ms": round(1000 * statistics.median(synced for _, synced in pairs), 1),
        "ratio": round(statistics.median(synced / walked for walked, synced in pairs), 2),
        "renamed": report.renamed,
        "rename_seconds": round(report.seconds, 2),
        "texts_embedded_by_renaming": report.texts,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
