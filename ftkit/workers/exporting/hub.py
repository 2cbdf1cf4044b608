"""A push to the Hugging Face Hub: the adapter or the merged model, with a card of the model and one of the data.

Everything is built, loaded again and compared before a byte is sent, and lies in the export's own ``files/`` then. A push that
breaks leaves that as it is: the next try sends what is not there yet. The data itself is never sent.
"""

from pathlib import Path
from typing import Any

from ftkit.errors import Fault, FtkitError, Refused
from ftkit.store.files import read_json
from ftkit.workers.exporting.adapter import AdapterExporter
from ftkit.workers.exporting.job import Exporter, ExportJob, Verified
from ftkit.workers.exporting.merged import MergedExporter
from ftkit.workers.publishing.data_card import data_card
from ftkit.workers.publishing.hub import Parcel, Unsent, push

DATA_CARD = "DATASET_CARD.md"
_KINDS: dict[str, Exporter] = {"adapter": AdapterExporter(), "merged": MergedExporter()}
_MEGABYTE = 1e6
_LINK = f"\n## Data card\n\n[{DATA_CARD}]({DATA_CARD}) says what the data were, without a row of them.\n"
_NO_TOKEN, _FORBIDDEN = 401, 403


class HubExporter:
    """What ``options.push`` says, in a repository of its own."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Build it as any export, with the card of the data beside it."""
        _KINDS[job.options.push].build(job, folder)
        card = folder / "README.md"
        card.write_text(card.read_text(encoding="utf-8") + _LINK, encoding="utf-8")
        split = (read_json(job.split / "manifest.json") if job.split is not None else None) or {}
        known = {key: split[key] for key in ("sizes", "seed", "leaks", "left_out") if key in split}
        known["mapping"] = job.mapping
        (folder / DATA_CARD).write_text(str(data_card(job.name, {**known, **job.data})), encoding="utf-8")

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Load it again as any export."""
        return _KINDS[job.options.push].verify(job, folder)

    def publish(self, job: ExportJob, folder: Path) -> dict[str, Any]:
        """Send the files, and compare what lies on the Hub with them.

        Raises:
            Refused: the token may not, or the repository is open to everybody.
            Fault: it broke; the export can be tried again.
        """
        options, worker = job.options, job.worker

        def report(sent: int, total: int) -> None:
            worker.raise_if_stopped()
            worker.progress("pushing", round(sent / _MEGABYTE), max(1, round(total / _MEGABYTE)))
            worker.advance()

        parcel = Parcel(folder, options.repo, options.private, f"{job.name}, made with ftkit")
        report(0, 0)
        try:
            pushed = push(parcel, report)
        except Unsent as error:
            raise _sentence(error, options.repo) from error
        return {
            "address": pushed.address,
            "repo": pushed.repo,
            "commit": pushed.commit,
            "private": options.private,
            "files": pushed.files,
            "bytes_sent": pushed.bytes_sent,
        }


def _sentence(error: Unsent, repo: str) -> FtkitError:
    if error.cause == "public":
        return Refused(
            "export.hub_is_public",
            "{repo} is there already and open to everybody, and this push is to be private, so nothing was sent. Make it private "
            "on the Hub and retry, or export with another name.",
            repo=error.reason,
        )
    if error.status == _NO_TOKEN:
        return Refused(
            "export.hub_no_token",
            "The Hub does not know who is asking (HTTP 401), so nothing was sent to {repo}. Set HF_TOKEN to a token that may "
            "write, start ftkit again, and retry: what was built is kept.",
            repo=repo,
        )
    if error.status == _FORBIDDEN:
        return Refused(
            "export.hub_not_allowed",
            "The Hub does not let this token write to {repo} (HTTP 403). Set HF_TOKEN to one that may, start ftkit again, and "
            "retry: what was built is kept.",
            repo=repo,
        )
    if error.wait:
        return Fault(
            "export.hub_busy",
            "The Hub takes nothing more at the moment ({reason}) and asks to wait for {seconds} seconds. Retry after that: what "
            "arrived at {repo} is not sent again.",
            reason=error.reason,
            seconds=error.wait,
            repo=repo,
        )
    if error.cause == "differs":
        return Fault(
            "export.hub_differs",
            "What lies at {repo} is not what was sent: {reason}. Retry: only what differs is sent again.",
            repo=repo,
            reason=error.reason,
        )
    return Fault(
        "export.hub_failed",
        "The push to {repo} failed ({reason}). Retry: what was built is kept, and what has arrived is not sent again.",
        repo=repo,
        reason=error.reason,
    )
