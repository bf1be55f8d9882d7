"""``embedsearch api fine-tune``: the group."""

from __future__ import annotations

import click

from embedsearch.cli.late import Late, LateGroup

COMMANDS = {
    "prepare": Late("api.preparing", "Make training and validation files of a table."),
    "create": Late("api.training", "Check files, upload them, and begin a job."),
    "list": Late("api.training", "List the jobs."),
    "get": Late("api.training", "Say how far a job is."),
    "events": Late("api.training", "List what a job reports."),
    "checkpoints": Late("api.training", "List the models a job leaves on its way."),
    "cancel": Late("api.training", "Stop a job for good."),
    "pause": Late("api.training", "Stop a job for now."),
    "resume": Late("api.training", "Go on with a job that was paused."),
}


@click.group("fine-tune", cls=LateGroup, late=COMMANDS)
def fine_tune_() -> None:
    """Prepare examples, and train models on them."""
