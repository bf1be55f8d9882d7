"""Evaluation: how far a classifier can be trusted, honestly measured."""

from __future__ import annotations

from embedsearch.evaluate.evaluation import Evaluation, evaluate
from embedsearch.evaluate.grouping import leakproof_groups
from embedsearch.evaluate.measures import Estimate

__all__ = ["Estimate", "Evaluation", "evaluate", "leakproof_groups"]
