"""What an evaluation says of a classifier."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.classify.calibration import Bin, Coverage
    from embedsearch.evaluate.learning import LearningCurve
    from embedsearch.evaluate.scores import Estimate, LabelScore


NEAR = 0.9
"""From this cosine on a text may be one to which a phrase was added, or just about the same."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the figures would be without learning; ``gain`` is the accuracy won over that."""

    name: str
    accuracy: Estimate
    macro_f1: Estimate
    gain: Estimate


@dataclass(frozen=True, slots=True)
class Confused:
    """So many texts of ``label``, the share ``share`` of them, were said to be ``predicted``."""

    label: Any
    predicted: Any
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text, by its position, that was told wrongly.

    ``text`` is "" where only vectors came, ``id`` where no ids did.
    """

    position: int
    id: str
    label: Any
    predicted: Any
    confidence: float | None
    text: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Evaluation:
    """How good a classifier is at texts it has not learned from; shares are 0 to 1.

    Labels are texts or numbers, as they came. ``confusion`` counts the texts of each (rows) by what
    was said (columns), in the order of ``labels``. So many ``near_texts`` have one of a cosine of
    ``NEAR`` in another fold: where they are versions of each other, accuracy is too high. What
    needs probabilities is ``None`` or empty where the estimator gives none, and ``curve`` is
    ``None`` where none was asked for. ``calibration_by_chance`` is the calibration error that exact
    confidences would show on so many texts, ``calibration_p_value`` how often they would show as
    much as was measured. ``notes`` say what the figures leave out.
    """

    estimator: str
    texts: int
    groups: int
    folds: int
    seed: int
    threshold: float
    near_texts: int
    accuracy: Estimate
    macro_f1: Estimate
    baselines: tuple[Baseline, ...]
    labels: tuple[LabelScore, ...]
    confusion: NDArray[np.int64]
    confused: tuple[Confused, ...]
    calibration_error: float | None
    calibration_by_chance: float | None
    calibration_p_value: float | None
    reliability: tuple[Bin, ...]
    coverage: tuple[Coverage, ...]
    curve: LearningCurve | None
    mistakes: tuple[Mistake, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"<Evaluation: accuracy {self.accuracy.value:.3f}, macro F1 {self.macro_f1.value:.3f};"
            f" {self.texts:,} texts, {len(self.labels):,} labels>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds; the confusion is ``[row, column, count]`` of each count."""
        rows, columns = np.nonzero(self.confusion)
        counts = self.confusion[rows, columns]
        cells = np.column_stack([rows, columns, counts]).tolist()
        return {"schema_version": 1, **asdict(self), "confusion": cells}
