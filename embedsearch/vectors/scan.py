"""The fast scan: 4-bit product quantisation over all rows, by FAISS; it proposes candidates."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SHARING = 4
"""Components that share half a byte. With two, half the candidates hold as many of the 10 nearest,
but a scan takes 1.7 times as long, and that costs more than to rank them: 210 us, not 50."""

TRAINING_ROUNDS = 10
TRAINING_POINTS = 128
"""Rounds of k-means, and points for each of 16 centroids, of every four components. FAISS's own
25 and 256 take three times as long and find no more neighbours."""


class FastScan:
    """``IVF1,PQ{d/4}x4fs``: half a byte for each four components, all rows scanned by SIMD.

    Rows are known by position, in the order they were added. The best candidates by its coarse
    scores hold the true neighbours when a few times more of them are taken than wanted.
    """

    def __init__(self, trained: NDArray[np.uint8]) -> None:
        import faiss

        index: Any = faiss.deserialize_index(trained)
        lists: Any = faiss.downcast_InvertedLists(index.invlists)
        self._index = index
        self._lists = lists
        self.trained = trained
        """What training found, in FAISS's own format; ``blocks`` holds the rows."""

    @classmethod
    def train(cls, sample: NDArray[np.float32]) -> FastScan:
        """Return an empty scan for vectors like those of ``sample``; the same each time."""
        import faiss

        groups = -(-sample.shape[1] // SHARING)
        index: Any = faiss.index_factory(
            groups * SHARING, f"IVF1,PQ{groups}x4fs", faiss.METRIC_INNER_PRODUCT
        )
        index.pq.cp.niter = TRAINING_ROUNDS
        index.pq.cp.max_points_per_centroid = TRAINING_POINTS
        with _threads(None):
            index.train(_padded(sample, index.d))
        return cls(faiss.serialize_index(index))

    @classmethod
    def restore(cls, trained: NDArray[np.uint8], blocks: NDArray[np.uint8], rows: int) -> FastScan:
        """Return the scan whose ``trained`` and ``blocks`` these were; raises ``ValueError``."""
        import faiss

        try:
            scan = cls(trained)
        except RuntimeError as error:
            raise ValueError("this version of FAISS cannot read it") from error
        scan._lists.resize(0, rows)
        scan._index.ntotal = rows
        faiss.rev_swig_ptr(scan._lists.get_ids(0), rows)[:] = np.arange(rows)
        if blocks.shape != scan.blocks.shape:
            raise ValueError(f"expected {scan.blocks.size} bytes of codes, found {blocks.size}")
        scan.blocks[:] = blocks
        return scan

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def emptied(self) -> FastScan:
        """Return a scan with the same training and no rows."""
        return FastScan(self.trained)

    @property
    def blocks(self) -> NDArray[np.uint8]:
        """The rows' codes as FAISS packs them, 32 rows a block; a view, good until a change."""
        import faiss

        if len(self) == 0:
            return np.empty(0, np.uint8)
        count = -(-len(self) // self._lists.n_per_block)
        return faiss.rev_swig_ptr(self._lists.get_codes(0), count * self._lists.block_size)

    def append(self, vectors: NDArray[np.float32]) -> None:
        """Add ``vectors`` at the end."""
        with _threads(None):
            self._index.add(_padded(vectors, self._index.d))

    def candidates(
        self,
        queries: NDArray[np.float32],
        count: int,
        *,
        bitmap: NDArray[np.uint8] | None = None,
        threads: int | None = 1,
    ) -> NDArray[np.int64]:
        """Return (q, count) positions, most promising first, -1 where there are no more.

        ``bitmap`` has a bit a position, lowest bit first: only positions whose bit is set come.
        """
        import faiss

        params = None
        if bitmap is not None:
            selector = faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
            params = faiss.SearchParametersIVF(sel=selector)  # type: ignore[call-arg]  # its stub lacks it
        with _threads(threads):
            queries = _padded(queries, self._index.d)
            _, positions = self._index.search(queries, count, params=params)
        return positions  # type: ignore[no-any-return]  # faiss is untyped


def _padded(vectors: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """Return the vectors with zeros added, so that they have so many dimensions."""
    missing = dimensions - vectors.shape[1]
    return np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Let FAISS use ``count`` OpenMP threads; None is all, but one on Darwin.

    On Darwin a second OpenMP runtime in the process, scikit-learn's for one, crashes FAISS.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count or (1 if sys.platform == "darwin" else before))
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
