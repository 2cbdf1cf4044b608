"""Ends what outlives a workspace on purpose, such as the resident generator."""

from ftkit.workspace import Workspace


def end_workers(workspace: Workspace) -> None:
    """Stop every job of the data folder and wait for its end."""
    for job in workspace.jobs.unfinished():
        workspace.jobs.stop(job.artefact)
        workspace.jobs.wait(job.artefact, 20)
