"""Texts to vectors as a step of scikit-learn's pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from embedsearch.classify.inputs import dimensions_of, is_texts, named, vectors_of

if TYPE_CHECKING:
    from embedsearch.classify.inputs import Encoder, Vectors
    from embedsearch.embedders import Role


class TextEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Turns texts (n,) into unit vectors (n, d), each text once in a process.

    A cross-validation or a search over the parameters of what follows embeds nothing twice.
    ``embedder`` is ``None`` for the packaged model, a name, an ``Embedder``, or an ``Index``,
    whose own vectors are used again. It learns nothing, so it needs no ``fit``.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> pipeline = make_pipeline(TextEmbedder(), LogisticRegression())
    """

    def __init__(self, *, embedder: Encoder | str | None = None, kind: Role = "document") -> None:
        self.embedder = embedder
        self.kind = kind

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check that texts came, and return itself."""
        del y
        if not is_texts(X):
            advice = ": vectors need no TextEmbedder, and evaluate gives an estimator vectors"
            raise ValueError(
                f"expected texts, got {type(X).__name__} of no texts"
                f"{advice if getattr(X, 'ndim', 0) == 2 else ''}"
            )
        return self

    def transform(self, X: Any) -> Vectors:
        """Return one unit row a text, shape (n, d); raises ValueError for what is no text."""
        self.fit(X)
        return vectors_of(X, self.embedder, kind=self.kind)

    @property
    def _n_features_out(self) -> int:
        return dimensions_of(named(self.embedder))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
