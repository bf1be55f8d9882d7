"""Fine-tuning: jobs, their checkpoints and events, graders, permissions."""

from typing import Any

from embedsearch.client.types.record import Object, Record


class FineTuningError(Record):
    """Why a job failed."""

    code: str | None = None
    message: str | None = None
    param: str | None = None


class FineTuningJob(Record):
    """A job that trains a model; times are in Unix seconds."""

    id: str
    created_at: int = 0
    model: str = ""
    object: str = "fine_tuning.job"
    organization_id: str = ""
    status: str = ""
    training_file: str = ""
    error: FineTuningError | None = None
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    hyperparameters: Object | None = None
    integrations: list[Object] | None = None
    metadata: dict[str, str] | None = None
    method: Object | None = None
    result_files: list[str] | None = None
    seed: int | None = None
    trained_tokens: int | None = None
    validation_file: str | None = None


class FineTuningJobEvent(Record):
    """What a job reports."""

    id: str
    created_at: int = 0
    level: str = ""
    message: str = ""
    object: str = "fine_tuning.job.event"
    type: str | None = None
    data: Any = None


class FineTuningMetrics(Record):
    """How good a checkpoint is."""

    step: float | None = None
    train_loss: float | None = None
    train_mean_token_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None


class FineTuningJobCheckpoint(Record):
    """A model as it was at a step of its training."""

    id: str
    created_at: int = 0
    fine_tuned_model_checkpoint: str = ""
    fine_tuning_job_id: str = ""
    metrics: FineTuningMetrics | None = None
    object: str = "fine_tuning.job.checkpoint"
    step_number: int = 0


class Permission(Record):
    """A project that may use a checkpoint."""

    id: str
    created_at: int = 0
    object: str = "checkpoint.permission"
    project_id: str = ""


class GraderRun(Record):
    """What a grader gave."""

    reward: float
    metadata: Object | None = None
    sub_rewards: Object | None = None
    model_grader_token_usage_per_model: Object | None = None


class GraderValidation(Record):
    """A grader that is well formed."""

    grader: Object | None = None
