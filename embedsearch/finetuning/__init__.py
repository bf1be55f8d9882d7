"""Fine-tuning: labelled texts and answers made into files that a job accepts, and checked."""

from embedsearch.finetuning.faults import Fault
from embedsearch.finetuning.preparing import Prepared, prepare, write
from embedsearch.finetuning.report import Problem, Report
from embedsearch.finetuning.validating import validate

__all__ = ["Fault", "Prepared", "Problem", "Report", "prepare", "validate", "write"]
