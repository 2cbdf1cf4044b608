"""Downloads: ``/download/<id>?to=csv`` answers with a file, behind the gate as everything else.

Takes ids, never paths. The file is made while it is sent and always offered for saving, never shown by the browser.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ftkit.errors import FtkitError, NotFound
from ftkit.ui.i18n import language, say_error

if TYPE_CHECKING:
    from ftkit.workspace import Workspace


def add_downloads(app: FastAPI, workspace: "Workspace") -> None:
    """Add the route."""

    @app.get("/download/{id_}")
    def download(request: Request, id_: str, to: str = "jsonl", part: str = "") -> Response:
        try:
            made = workspace.exports.download(id_, to, part)
        except FtkitError as error:
            status = 404 if isinstance(error, NotFound) else 400
            return PlainTextResponse(say_error(error, language(request)), status)
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(made.filename)}",
            "cache-control": "private, no-store",
        }
        return StreamingResponse(made.pieces, media_type=made.media_type, headers=headers)
