"""An export as its worker left it, without a model: records, files, parity and report."""

import hashlib
from datetime import UTC, datetime

from ftkit.export.options import ExportOptions
from ftkit.records import Export, Job
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.workspace import Workspace

NOW = datetime(2026, 11, 26, tzinfo=UTC)
FILES = {"README.md": b"# <b>card</b>", "weights/model.safetensors": b"weights" * 100}
HOSTILE = "<img src=x onerror=window.__x=1>"


def make_export(workspace: Workspace, run: str, id_: str = "export1", *, failed: bool = False) -> Export:
    """A finished push to the Hub, or one that broke."""
    options = ExportOptions(target="hub", repo="me/model").model_dump(mode="json")
    made = Export(
        id=id_, name=f"{HOSTILE} · hub", created_at=NOW, parents=(run,), content_hash=f"sha256:{id_}", seed=42,
        run=run, target="hub", options=options,
    )  # fmt: skip
    workspace.artefacts.add(made)
    text = "The push to {repo} failed ({reason}). Retry: what was built is kept, and what has arrived is not sent again."
    error = {"key": "export.hub_failed", "text": text, "values": {"repo": "me/model", "reason": HOSTILE}}
    job = Job(
        id=f"job-{id_}", kind="export", lane="compute", artefact=id_, state="failed" if failed else "done",
        nonce="n", queued_at=NOW, error=error if failed else None,
    )  # fmt: skip
    JobTable(workspace._database).add(job)
    folder = workspace.folders.export(id_)
    for name, content in FILES.items():
        (folder / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "files" / name).write_bytes(content)
    manifest = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in FILES.items()
    }
    write_json(folder / "manifest.json", manifest)
    row = {
        "token_ids_equal": True,
        "answers_equal": True,
        "prompts": 6,
        "equal_answers": 6,
        "rounding": "fp32",
    }
    first = {"prompt": 2, "token": 10, "expected": "high", "got": HOSTILE, "gap": 0.0015, "tolerance": 0.06}
    rows = [
        {**row, "way": "trainer", "first_difference": None, "note": "same"},
        {**row, "way": "compare", "equal_answers": 5, "first_difference": first, "note": "rounding"},
    ]
    prompts = [
        {"messages": [{"role": "user", "content": HOSTILE}], "text": "", "tokens": 5, "answer": HOSTILE}
    ]
    write_json(folder / "parity.json", {"rows": rows, "prompts": prompts})
    pushed = {
        "address": "javascript:window.__x=1",
        "files": {name: one["sha256"] for name, one in manifest.items()},
    }
    write_json(folder / "report.json", {"loaded": ["peft"], "pushed": pushed})
    return made
