"""``/fine_tuning``."""

from collections.abc import Mapping, Sequence
from typing import Required, Unpack

from embedsearch.client.calls import Call, Json, Options, Paging, delete, get, post, segment
from embedsearch.client.resource import M, Resource, endpoint, listing
from embedsearch.client.types.fine_tuning import (
    FineTuningJob,
    FineTuningJobCheckpoint,
    FineTuningJobEvent,
    GraderRun,
    GraderValidation,
    Permission,
)
from embedsearch.client.types.models import Deleted


class JobParams(Options, total=False):
    """The arguments of `Jobs.create`."""

    model: Required[str]
    training_file: Required[str]
    hyperparameters: Json
    integrations: Sequence[Json] | None
    metadata: Mapping[str, str] | None
    method: Json
    seed: int | None
    suffix: str | None
    validation_file: str | None


class JobListParams(Paging, total=False):
    """The arguments of `Jobs.list`."""

    metadata: Mapping[str, str] | None


class ProjectParams(Options, total=False):
    """The arguments of `Permissions.create`."""

    project_ids: Required[Sequence[str]]


class PermissionListParams(Paging, total=False):
    """The arguments of `Permissions.list`."""

    project_id: str


class GraderParams(Options, total=False):
    """The arguments of `Graders.validate`."""

    grader: Required[Json]


class GraderRunParams(GraderParams, total=False):
    """The arguments of `Graders.run`."""

    model_sample: Required[str]
    item: Json


class JobCheckpoints(Resource[M]):
    """The models that a job leaves on its way."""

    @listing
    def list(
        self, fine_tuning_job_id: str, **query: Unpack[Paging]
    ) -> Call[FineTuningJobCheckpoint]:
        """List them all."""
        return get(f"{_job(fine_tuning_job_id)}/checkpoints", FineTuningJobCheckpoint, query)


class Jobs(Resource[M]):
    """Trainings of a model."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.checkpoints: JobCheckpoints[M] = JobCheckpoints(driver)

    @endpoint
    def create(self, **body: Unpack[JobParams]) -> Call[FineTuningJob]:
        """Begin one."""
        return post(_JOBS, FineTuningJob, body)

    @listing
    def list(self, **query: Unpack[JobListParams]) -> Call[FineTuningJob]:
        """List them all."""
        return get(_JOBS, FineTuningJob, query)

    @endpoint
    def retrieve(self, fine_tuning_job_id: str, **options: Unpack[Options]) -> Call[FineTuningJob]:
        """Tell how far one is."""
        return get(_job(fine_tuning_job_id), FineTuningJob, options)

    @listing
    def list_events(
        self, fine_tuning_job_id: str, **query: Unpack[Paging]
    ) -> Call[FineTuningJobEvent]:
        """List what one reports."""
        return get(f"{_job(fine_tuning_job_id)}/events", FineTuningJobEvent, query)

    @endpoint
    def cancel(self, fine_tuning_job_id: str, **options: Unpack[Options]) -> Call[FineTuningJob]:
        """Stop one for good."""
        return post(f"{_job(fine_tuning_job_id)}/cancel", FineTuningJob, options)

    @endpoint
    def pause(self, fine_tuning_job_id: str, **options: Unpack[Options]) -> Call[FineTuningJob]:
        """Stop one for now."""
        return post(f"{_job(fine_tuning_job_id)}/pause", FineTuningJob, options)

    @endpoint
    def resume(self, fine_tuning_job_id: str, **options: Unpack[Options]) -> Call[FineTuningJob]:
        """Go on with one that was paused."""
        return post(f"{_job(fine_tuning_job_id)}/resume", FineTuningJob, options)


class Permissions(Resource[M]):
    """Which projects may use a checkpoint."""

    @listing
    def create(
        self, fine_tuned_model_checkpoint: str, **body: Unpack[ProjectParams]
    ) -> Call[Permission]:
        """Allow projects to use it."""
        return post(_permissions(fine_tuned_model_checkpoint), Permission, body)

    @listing
    def list(
        self, fine_tuned_model_checkpoint: str, **query: Unpack[PermissionListParams]
    ) -> Call[Permission]:
        """List who may use it."""
        return get(_permissions(fine_tuned_model_checkpoint), Permission, query)

    @endpoint
    def delete(
        self, permission_id: str, *, fine_tuned_model_checkpoint: str, **options: Unpack[Options]
    ) -> Call[Deleted]:
        """Allow it no longer."""
        path = f"{_permissions(fine_tuned_model_checkpoint)}/{segment(permission_id)}"
        return delete(path, Deleted, options)


class Checkpoints(Resource[M]):
    """Checkpoints by their own names."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.permissions: Permissions[M] = Permissions(driver)


class Graders(Resource[M]):
    """What judges the samples of a model that learns by reinforcement."""

    @endpoint
    def run(self, **body: Unpack[GraderRunParams]) -> Call[GraderRun]:
        """Grade a sample."""
        return post("/fine_tuning/alpha/graders/run", GraderRun, body)

    @endpoint
    def validate(self, **body: Unpack[GraderParams]) -> Call[GraderValidation]:
        """Tell whether a grader is well formed."""
        return post("/fine_tuning/alpha/graders/validate", GraderValidation, body)


class Alpha(Resource[M]):
    """What may still change."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.graders: Graders[M] = Graders(driver)


class FineTuning(Resource[M]):
    """Models trained on one's own examples."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.alpha: Alpha[M] = Alpha(driver)
        self.checkpoints: Checkpoints[M] = Checkpoints(driver)
        self.jobs: Jobs[M] = Jobs(driver)


_JOBS = "/fine_tuning/jobs"


def _job(fine_tuning_job_id: str) -> str:
    return f"{_JOBS}/{segment(fine_tuning_job_id)}"


def _permissions(checkpoint: str) -> str:
    return f"/fine_tuning/checkpoints/{segment(checkpoint)}/permissions"
