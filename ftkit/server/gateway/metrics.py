"""Numbers of the gateway for Prometheus, in a registry of its own.

Takes exchanges and answers as they end, gives the text that Prometheus collects. Numbers are those of this process since it started; it
stores nothing and knows no text of a request.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ftkit.monitoring.traffic.exchange import Exchange
from ftkit.serving.versions.standing import Version

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The numbers of one gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._http = Counter(
            "ftkit_http_requests",
            "HTTP requests by path and status.",
            ["path", "status"],
            registry=self._registry,
        )
        self._answers = Counter(
            "ftkit_answers",
            "Requests that reached a model, by version and how they ended.",
            ["version", "kind", "finish"],
            registry=self._registry,
        )
        self._errors = Counter(
            "ftkit_errors", "Errors by key.", ["version", "error"], registry=self._registry
        )
        self._tokens = Counter(
            "ftkit_tokens",
            "Tokens of prompts and answers.",
            ["version", "direction"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "ftkit_answer_seconds",
            "Seconds from request to the whole answer.",
            ["version"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._first = Histogram(
            "ftkit_first_token_seconds",
            "Seconds from request to the first token.",
            ["version"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.running = Gauge("ftkit_running", "Answers under way.", registry=self._registry)
        self._share = Gauge(
            "ftkit_version_share",
            "Share of the requests that a version gets.",
            ["version", "state"],
            registry=self._registry,
        )

    def note_http(self, path: str, status: int) -> None:
        """Count a request; ``path`` is that of the route, not what somebody wrote."""
        self._http.labels(path, str(status)).inc()

    def note(self, exchange: Exchange) -> None:
        """Count what became of a request."""
        version = exchange.version
        if exchange.error:
            self._errors.labels(version, exchange.error).inc()
        else:
            self._answers.labels(version, exchange.kind, exchange.finish).inc()
            self._seconds.labels(version).observe(exchange.seconds)
        if exchange.first_token_seconds is not None:
            self._first.labels(version).observe(exchange.first_token_seconds)
        for direction, tokens in (("prompt", exchange.prompt_tokens), ("answer", exchange.answer_tokens)):
            if tokens:
                self._tokens.labels(version, direction).inc(tokens)

    def text(self, answering: tuple[Version, ...]) -> bytes:
        """All of them, with the versions that answer now."""
        self._share.clear()
        canary = next((version.share for version in answering if version.state == "canary"), 0.0)
        for version in answering:
            share = version.share if version.state == "canary" else 1 - canary
            self._share.labels(version.id, version.state).set(share)
        return generate_latest(self._registry)
