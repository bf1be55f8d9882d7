"""The cache file: whole or not at all, and never trusted blindly."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedsearch.errors import IndexCorrupt, StorageFailed
from embedsearch.vectors import VectorIndex

if TYPE_CHECKING:
    from pathlib import Path

STAMP: dict[str, int | str] = {"generation": 12, "space": "local/MiniLM ä"}
ROWS = 1_500


def small(*, flat_below: int = 1_000) -> VectorIndex:
    """An index of 1,500 rows, every tenth a tombstone."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((ROWS, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = VectorIndex.build(rng.permutation(ROWS) + 1, vectors, flat_below=flat_below)
    index.remove(np.arange(10, ROWS, 10))
    return index


@pytest.fixture(scope="module", params=[1_000, 10**9], ids=["scanned", "flat"])
def index(request: pytest.FixtureRequest) -> VectorIndex:
    return small(flat_below=request.param)


@pytest.fixture
def path(tmp_path: Path, index: VectorIndex) -> Path:
    path = tmp_path / "vectors.faiss"
    index.save(path, STAMP)
    return path


def results(index: VectorIndex) -> list[list[float]]:
    queries = np.random.default_rng(1).standard_normal((20, 24)).astype(np.float32)
    some = np.arange(1, 1_000)
    found = [
        index.search(query, 7, allowed=allowed) for query in queries for allowed in (None, some)
    ]
    return [part.tolist() for pair in found for part in pair]


def test_a_loaded_index_answers_as_the_saved_one(path: Path, index: VectorIndex) -> None:
    loaded, stamp = VectorIndex.load(path)

    assert stamp == STAMP
    assert (len(loaded), loaded.dead, loaded.recall) == (len(index), index.dead, index.recall)
    assert results(loaded) == results(index)


def test_a_loaded_index_can_change_and_be_saved_over_itself(path: Path) -> None:
    fresh = small(flat_below=VectorIndex.load(path)[0].flat_below)
    loaded, _ = VectorIndex.load(path)
    rng = np.random.default_rng(3)
    more = rng.standard_normal((700, 24)).astype(np.float32)
    for index in (loaded, fresh):
        index.add(np.arange(ROWS + 1, ROWS + 701), more)
        index.remove(np.arange(5, 500, 7))
        index.compact()

    assert results(loaded) == results(fresh)
    loaded.save(path, {"generation": 13})
    again, stamp = VectorIndex.load(path)
    assert stamp == {"generation": 13}
    assert results(again) == results(fresh) == results(loaded)


def test_a_loaded_index_that_grows_is_the_one_that_was_never_saved(
    tmp_path: Path, path: Path
) -> None:
    fresh = small(flat_below=VectorIndex.load(path)[0].flat_below)
    loaded, _ = VectorIndex.load(path)
    more = np.random.default_rng(3).standard_normal((700, 24)).astype(np.float32)
    for index in (loaded, fresh):
        index.add(np.arange(ROWS + 1, ROWS + 701), more)
        index.remove(np.arange(5, ROWS + 700, 7))

    assert results(loaded) == results(fresh)
    labels = np.arange(1, ROWS + 701)
    assert loaded.vectors(labels).tolist() == fresh.vectors(labels).tolist()
    for index, name in (loaded, "loaded"), (fresh, "fresh"):
        index.save(tmp_path / name, STAMP)
    assert (tmp_path / "loaded").read_bytes() == (tmp_path / "fresh").read_bytes()


def test_a_loaded_index_that_grows_leaves_its_rows_in_the_file(tmp_path: Path) -> None:
    rows = np.random.default_rng(4).standard_normal((20_000, 48)).astype(np.float32)
    labels = np.arange(1, 20_001)
    VectorIndex.build(labels[:15_000], rows[:15_000], flat_below=10**9).save(tmp_path / "v", {})
    loaded, _ = VectorIndex.load(tmp_path / "v")
    tracemalloc.start()
    try:
        loaded.reserve(5_000)
        loaded.add(labels[15_000:], rows[15_000:])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < rows[:15_000].nbytes
    some = labels[::-1][1::2][:9_999]
    for allowed in (None, some):
        chosen = labels if allowed is None else allowed
        scores = rows[chosen - 1] @ rows[7]
        found, best = loaded.search(rows[7], 20, allowed=allowed)
        assert found.tolist() == chosen[np.argsort(-scores)[:20]].tolist()
        assert best.tolist() == pytest.approx(sorted(scores, reverse=True)[:20], rel=1e-4)


def test_an_empty_index_survives(tmp_path: Path) -> None:
    VectorIndex(5).save(tmp_path / "v", {})
    loaded, stamp = VectorIndex.load(tmp_path / "v")
    loaded.add(np.array([1]), np.ones((1, 5), np.float32))

    assert (loaded.search(np.ones(5, np.float32), 3)[0].tolist(), stamp) == ([1], {})


def test_paths_may_hold_any_characters(tmp_path: Path) -> None:
    folder = tmp_path / "Büro 文書 🙂"
    folder.mkdir()
    small().save(folder / "vectors.faiss", STAMP)

    assert VectorIndex.load(folder / "vectors.faiss")[1] == STAMP
    assert [entry.name for entry in folder.iterdir()] == ["vectors.faiss"]


def test_a_missing_file_is_not_a_corrupt_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        VectorIndex.load(tmp_path / "vectors.faiss")


def test_a_folder_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="could not read"):
        VectorIndex.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"embsvec2", b"IxFI" + bytes(100), os.urandom(5_000), b"SQLite format 3\0" * 99],
)
def test_foreign_content_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    path.write_bytes(content)

    with pytest.raises(IndexCorrupt, match="is damaged or no vector file"):
        VectorIndex.load(path)


def test_a_file_of_another_version_is_said_to_be_one(path: Path) -> None:
    path.write_bytes(b"embsvec2" + path.read_bytes()[8:])
    with pytest.raises(IndexCorrupt, match="another version of embedsearch wrote it"):
        VectorIndex.load(path)


def test_a_file_cut_short_or_grown_is_refused(path: Path) -> None:
    content = path.read_bytes()
    cuts = [*range(0, 700, 7), *range(700, len(content), len(content) // 60), len(content) - 1]

    for torn in [*(content[:cut] for cut in cuts), content + b"\0"]:
        path.write_bytes(torn)
        with pytest.raises(IndexCorrupt):
            VectorIndex.load(path)


def test_no_flipped_byte_goes_unnoticed(path: Path, index: VectorIndex) -> None:
    content = path.read_bytes()
    places = [*range(0, 1_500, 5), *range(1_500, len(content), len(content) // 200)]
    before = results(index)

    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        try:
            loaded, stamp = VectorIndex.load(path)
        except IndexCorrupt:
            continue
        # Only padding between the arrays is not looked at.
        assert (stamp, results(loaded)) == (STAMP, before)


def test_the_vectors_of_a_large_file_are_checked_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    vectors = np.random.default_rng(0).random((18_000, 1_000), np.float32)
    VectorIndex.build(np.arange(1, 18_001), vectors).save(path, STAMP)
    with path.open("r+b") as file:
        file.seek(-5, os.SEEK_END)
        file.write(b"!")

    assert VectorIndex.load(path)[1] == STAMP
    with pytest.raises(IndexCorrupt, match="checksum of its codes differs"):
        VectorIndex.load(path, verify=True)


def test_a_full_disk_leaves_the_old_file_and_no_other(path: Path, index: VectorIndex) -> None:
    """A limit on the size of files stands in for a full disk."""
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StorageFailed, match="file too large") as caught:
            index.save(path, {"generation": 99})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)

    assert "could not save" in str(caught.value)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_gone_is_a_storage_failure(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="could not save"):
        small().save(tmp_path / "gone" / "vectors.faiss", {})


def test_a_mapped_index_survives_its_file(path: Path, index: VectorIndex) -> None:
    loaded, _ = VectorIndex.load(path)
    small().save(path, {"generation": 13})
    shutil.rmtree(path.parent)

    assert results(loaded) == results(index)
