"""Labels of an index put to use: what to label next, training, predictions, wrong labels."""

from __future__ import annotations

from embedsearch.labelling.choosing import Choice, Chooser, chooser
from embedsearch.labelling.examples import Examples, examples
from embedsearch.labelling.predicting import classify_documents, classify_texts
from embedsearch.labelling.suspecting import suspected, suspicions
from embedsearch.labelling.training import train

__all__ = [
    "Choice",
    "Chooser",
    "Examples",
    "chooser",
    "classify_documents",
    "classify_texts",
    "examples",
    "suspected",
    "suspicions",
    "train",
]
