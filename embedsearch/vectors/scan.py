"""The fast scan: rows in lists, half a byte for each four components; it proposes candidates."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from embedsearch.vectors.file import Parts

    Bytes = NDArray[np.uint8]
    Positions = NDArray[np.int64]
    Vectors = NDArray[np.float32]

SHARING = 4
"""Components that share half a byte. With two, half the candidates hold as many of the 10 nearest,
but a scan takes 1.7 times as long, and that costs more than to rank them: 210 us, not 50."""

LISTS = 128
"""Lists that rows are put into. Of 64 a query scans half as much again; of 256 one that has to scan
them all takes half as long again."""

TRAINING_ROUNDS = 10
TRAINING_POINTS = 128
"""Rounds of k-means, and points for each centroid, of every four components and of the lists.
FAISS's own 25 and 256 take three times as long and find no more neighbours."""


class FastScan:
    """``IVF128,PQ{d/4}x4fs``: half a byte for each four components, scanned by SIMD.

    A query scans the lists whose centroids are about as near to it as the nearest one: few when it
    is among its like, all when it is unlike anything stored. Of a fixed number of lists the latter
    would miss a quarter of what is nearest.

    Rows are known by position, in the order they were added. The best candidates by its coarse
    scores hold the true neighbours when a few times more of them are taken than wanted.
    """

    def __init__(self, trained: Bytes) -> None:
        import faiss

        index: Any = faiss.deserialize_index(trained)
        lists: Any = faiss.downcast_InvertedLists(index.invlists)
        quantizer: Any = faiss.downcast_index(index.quantizer)
        self._index = index
        self._lists = lists
        self._centroids: Vectors = quantizer.reconstruct_n(0, index.nlist)
        self.trained = trained
        """What training found, in FAISS's own format; ``arrays`` are the rows."""

    @classmethod
    def train(cls, sample: Vectors) -> FastScan:
        """Return an empty scan for vectors like those of ``sample``; the same each time."""
        import faiss

        groups = -(-sample.shape[1] // SHARING)
        lists = min(LISTS, max(1, len(sample) // TRAINING_POINTS))
        index: Any = faiss.index_factory(
            groups * SHARING, f"IVF{lists},PQ{groups}x4fs", faiss.METRIC_INNER_PRODUCT
        )
        for clustering in (index.cp, index.pq.cp):
            clustering.niter = TRAINING_ROUNDS
            clustering.max_points_per_centroid = TRAINING_POINTS
        with _threads(None):
            index.train(_padded(sample, index.d))
        return cls(faiss.serialize_index(index))

    @classmethod
    def restore(cls, trained: Bytes, blocks: Bytes, rows: Positions, sizes: Positions) -> FastScan:
        """Return the scan whose ``trained`` and ``arrays`` these were; raises ``ValueError``."""
        try:
            scan = cls(trained)
        except RuntimeError as error:
            raise ValueError("this version of FAISS cannot read it") from error
        if len(sizes) != scan._index.nlist or not _permuted(rows) or sizes.sum() != len(rows):
            raise ValueError("its lists do not hold each row once")
        for number, size in enumerate(sizes.tolist()):
            scan._lists.resize(number, size)
        scan._index.ntotal = len(rows)
        scan._fill(blocks, rows)
        return scan

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def emptied(self) -> FastScan:
        """Return a scan with the same training and no rows."""
        return FastScan(self.trained)

    def arrays(self) -> Parts:
        """Return the codes as FAISS packs them, 32 rows a block, and which rows each list holds.

        Each list's are a part: views, good until a change.
        """
        blocks, rows = zip(*self._views(), strict=True)
        sizes = np.array([len(held) for held in rows])
        return {"blocks": blocks, "rows": rows, "sizes": [sizes]}

    def append(self, vectors: Vectors) -> None:
        """Add ``vectors`` at the end."""
        with _threads(None):
            self._index.add(_padded(vectors, self._index.d))

    def gaps(self, vectors: Vectors) -> Vectors:
        """Return how far each list's centroid is behind the best, by inner product: (n, lists).

        The list that holds a row is the one whose gap to it is 0.
        """
        products: Vectors = _padded(vectors, self._index.d) @ self._centroids.T
        behind: Vectors = products.max(axis=1, keepdims=True) - products
        return behind

    def candidates(
        self,
        queries: Vectors,
        count: int,
        *,
        within: float,
        bitmap: Bytes | None = None,
    ) -> Positions:
        """Return (q, count) positions, most promising first, -1 where there are no more.

        Lists with a gap up to ``within`` are scanned. ``bitmap`` has a bit a position, lowest bit
        first: only positions whose bit is set come.
        """
        import faiss

        gaps = self.gaps(queries)
        lists = np.where(gaps <= within, np.arange(gaps.shape[1]), -1)
        chosen = None
        if bitmap is not None:
            chosen = faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
        params = faiss.SearchParametersIVF(nprobe=gaps.shape[1], sel=chosen)  # type: ignore[call-arg]  # its stub lacks them
        asked = np.ascontiguousarray(_padded(queries, self._index.d))
        scores = np.empty((len(queries), count), np.float32)
        found = np.empty((len(queries), count), np.int64)
        # What it is told of centroids counts for codes of residuals alone: these are none.
        x, keys, told, best, ids = map(faiss.swig_ptr, (asked, lists, gaps, scores, found))
        pairs = False  # of a list and a place in it, instead of ids
        with _threads(1):
            self._index.search_preassigned_c(
                len(queries), x, count, keys, told, best, ids, pairs, params
            )
        return found

    def _views(self) -> Iterator[tuple[Bytes, Positions]]:
        """Yield each list's blocks and rows as they lie in FAISS, good until a change."""
        import faiss

        lists = self._lists
        for number in range(self._index.nlist):
            size = lists.list_size(number)
            blocks = -(-size // lists.n_per_block) * lists.block_size
            yield (
                faiss.rev_swig_ptr(lists.get_codes(number), blocks),
                faiss.rev_swig_ptr(lists.get_ids(number), size),
            )

    def _fill(self, blocks: Bytes, rows: Positions) -> None:
        ends = np.cumsum([(len(codes), len(held)) for codes, held in self._views()], axis=0)
        if blocks.shape != (ends[-1, 0],):
            raise ValueError(f"expected {ends[-1, 0]} bytes of codes, found {blocks.size}")
        for (codes, held), (block, row) in zip(self._views(), ends, strict=True):
            codes[:] = blocks[block - len(codes) : block]
            held[:] = rows[row - len(held) : row]


def _permuted(rows: Positions) -> bool:
    return np.array_equal(np.sort(rows), np.arange(len(rows)))


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
