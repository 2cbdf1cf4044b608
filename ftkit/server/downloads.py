"""Downloads and reports: ``/download/<id>?to=csv`` answers with a file, ``/report/<run>`` with the page about a run,
``/card/<run>`` with its model card, ``/download/ratings/<study>`` with a study's ratings, ``/download/export/<id>`` with an
export as one archive or, by ``?name=``, with one of its files.

Behind the gate as everything else; takes ids, never paths. A file is made while it is sent and always offered for saving,
never shown by the browser; the report's template escapes what data and models say.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from ftkit.downloads import Download
from ftkit.errors import FtkitError, NotFound
from ftkit.ui.i18n import language, say_error

if TYPE_CHECKING:
    from ftkit.workspace import Workspace


def add_downloads(app: FastAPI, workspace: "Workspace") -> None:
    """Add the routes."""

    @app.get("/report/{run}")
    def report(request: Request, run: str) -> Response:
        lang = language(request)
        try:
            return HTMLResponse(workspace.report(run, lang))
        except FtkitError as error:
            return _refused(error, lang)

    @app.get("/card/{run}")
    def card(request: Request, run: str) -> Response:
        try:
            text = workspace.model_card(run)
        except FtkitError as error:
            return _refused(error, language(request))
        headers = {
            "content-disposition": 'attachment; filename="README.md"',
            "cache-control": "private, no-store",
        }
        return PlainTextResponse(text, media_type="text/markdown", headers=headers)

    _add_files(app, workspace)


def _add_files(app: FastAPI, workspace: "Workspace") -> None:
    @app.get("/download/ratings/{study}")
    def ratings(request: Request, study: str, to: str = "jsonl") -> Response:
        try:
            return _file(workspace.results.export(study, to))
        except FtkitError as error:
            return _refused(error, language(request))

    @app.get("/download/export/{export}")
    def exported(request: Request, export: str, name: str = "") -> Response:
        exports = workspace.exports
        try:
            return _file(exports.file(export, name) if name else exports.archive(export))
        except FtkitError as error:
            return _refused(error, language(request))

    @app.get("/download/{id_}")
    def download(request: Request, id_: str, to: str = "jsonl", part: str = "") -> Response:
        try:
            return _file(workspace.downloads.download(id_, to, part))
        except FtkitError as error:
            return _refused(error, language(request))


def _file(made: Download) -> Response:
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(made.filename)}",
        "cache-control": "private, no-store",
    }
    return StreamingResponse(made.pieces, media_type=made.media_type, headers=headers)


def _refused(error: FtkitError, lang: str) -> Response:
    return PlainTextResponse(say_error(error, lang), 404 if isinstance(error, NotFound) else 400)
