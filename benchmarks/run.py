"""Run benchmarks, each in a process of its own, and keep what they print with the machine's facts.

    python benchmarks/run.py starting syncing
    python benchmarks/run.py searching -- --rows 100000

writes ``benchmarks/results/NAME.json``; ``python benchmarks/report.py`` makes the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
RELEVANT = {
    "chromadb",
    "cleanlab",
    "faiss-cpu",
    "httpx",
    "langchain-openai",
    "llama-index-embeddings-openai",
    "msgspec",
    "numpy",
    "onnxruntime",
    "openai",
    "pybase64",
    "scipy",
    "semhash",
    "sentence-transformers",
    "tiktoken",
    "tokenizers",
    "torch",
    "zvec",
}


def machine() -> dict[str, Any]:
    """Say what a result depends on besides the code."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    flags = [flag for flag in facts.get("flags", "").split() if flag.startswith(("avx", "amx"))]
    return {
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "simd": flags,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    return {d.name: d.version for d in distributions() if d.name in RELEVANT}


def commit() -> str:
    """Name the code that is measured; the results of a run before do not make it dirty."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!results")
    return f"{head}-dirty" if changed else head or "unknown"


def _git(*words: str) -> str:
    command = ["git", "-C", str(HERE), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def run(name: str, arguments: list[str]) -> Path:
    before = machine()
    done = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    about = {
        "benchmark": name,
        "arguments": arguments,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": before,
        "versions": versions(),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(about | {"results": json.loads(done.stdout)}, indent=1) + "\n")
    return path


def main() -> None:
    own, _, passed = " ".join(sys.argv[1:]).partition(" -- ")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", help="benchmarks, as starting or searching")
    for name in parser.parse_args(own.split()).names:
        print(run(name, passed.split()))


if __name__ == "__main__":
    main()
