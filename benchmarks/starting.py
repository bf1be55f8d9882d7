"""How long it takes to get going: import, --help, and a cold search of a small index."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "wikipedia"
PYTHON = sys.executable
ROUNDS = 15

STEPS = """
import time, sys, json
marks = [("python", time.perf_counter())]
def mark(name): marks.append((name, time.perf_counter()))
import embedsearch.index; mark("import embedsearch.index")
index = embedsearch.index.Index.open(sys.argv[1], create=False); mark("open")
index.embedder.embed(["who discovered oxygen"], kind="query"); mark("load the model and embed")
index.search("who discovered oxygen"); mark("search, a second query's embedding included")
print(json.dumps({n: round(1000 * (t - marks[i][1])) for i, (n, t) in enumerate(marks[1:])}))
"""


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - begin


def medians(commands: dict[str, list[str]]) -> dict[str, float]:
    """Return the median milliseconds of each command; they take turns."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    return {name: round(1000 * statistics.median(times)) for name, times in taken.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cli = [PYTHON, "-m", "embedsearch", "--db", folder]
        subprocess.run([*cli, "index", str(EXAMPLE)], capture_output=True, check=True)
        times = medians(
            {
                "python -c pass": [PYTHON, "-c", "pass"],
                "import embedsearch": [PYTHON, "-c", "import embedsearch"],
                "embedsearch --help": [PYTHON, "-m", "embedsearch", "--help"],
                "embedsearch search": [*cli, "search", "who discovered oxygen"],
                "embedsearch search --mode lexical": [
                    *cli,
                    "search",
                    "--mode",
                    "lexical",
                    "oxygen",
                ],
            }
        )
        steps = subprocess.run(
            [PYTHON, "-c", STEPS, folder], capture_output=True, text=True, check=True
        )
    bare = times["python -c pass"]
    result = {
        "milliseconds": times,
        "import_over_bare_ms": times["import embedsearch"] - bare,
        "help_over_bare_ms": times["embedsearch --help"] - bare,
        "cold_search_ms": times["embedsearch search"],
        "where_a_cold_search_goes_ms": json.loads(steps.stdout),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
