"""All settings, read once from the environment; the only module that touches ``os.environ``.

Takes a mapping of environment variables, gives a frozen ``Settings``. It creates no folder and opens no file.
"""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

# In a checkout a link to the folder at the top, in an installed package the folder itself.
_SHIPPED_RECIPES = Path(__file__).parent / "recipes"
# glibc gives large temporaries back to the kernel after each step; keeping them saves a fifth of the training time. Steps of a
# training are alike. Where they are not, as in an evaluation, what is kept has holes that nothing fits into: 14 GB for a model of 0.3.
_TRAINING_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
# OpenMP's threads wait for each other by spinning, which burns the time of others where cores are shared; a sleep at each wait
# costs a quarter of the speed where they are not. This many turns lose little in both (tokens per second on two cores, free and
# with one of them busy: 520 and 275 at 4,000 turns, 590 and 230 at 8,000, 525 and 138 at 20,000).
_PATIENCE = {"GOMP_SPINCOUNT": "8000"}
# Switches that would open the app to the world behind its own checks.
_DANGEROUS = ("GRADIO_VIBE_MODE", "GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_MCP_SERVER")


class Settings(BaseModel):
    """Where things are and how the app is reached."""

    model_config = ConfigDict(frozen=True)

    home: Path = Field(description="FTKIT_HOME: the data folder.")
    host: str = Field("127.0.0.1", description="FTKIT_HOST: address the dashboard listens on.")
    port: int = Field(7860, ge=0, le=65535, description="FTKIT_PORT: port of the dashboard.")
    database_url: str | None = Field(
        None, description="FTKIT_DATABASE_URL: another database than the SQLite file in the data folder."
    )
    token: SecretStr | None = Field(
        None, description="FTKIT_TOKEN: fixed launch token; without it each start makes a new one."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="FTKIT_ALLOWED_HOSTS: further host names of the dashboard, separated by commas."
    )
    upstream_key: SecretStr = Field(
        SecretStr(""),
        description="FTKIT_UPSTREAM_KEY: key of the OpenAI-compatible servers that the engine upstream asks.",
    )
    hf_endpoint: str = Field(
        "https://huggingface.co", description="HF_ENDPOINT: where models of the Hub come from."
    )
    offline: bool = Field(False, description="HF_HUB_OFFLINE: never ask the Hub.")
    space_host: str | None = Field(None, description="SPACE_HOST: set by Hugging Face Spaces.")
    recipes: Path = Field(description="FTKIT_RECIPES: folder of the recipes.")
    samples: bool = Field(
        True, description="FTKIT_SAMPLES: put sample data and the bundled model in place at the first start."
    )
    stall_seconds: float = Field(
        120.0,
        gt=0,
        description="FTKIT_STALL_SECONDS: how long a run may get on with nothing before it counts as stalled.",
    )
    waiting_per_user: int = Field(
        2, ge=0, description="FTKIT_WAITING_PER_USER: runs that anybody but the owner may have waiting."
    )
    environment: Mapping[str, str] = Field(
        default_factory=dict, repr=False, exclude=True, description="What worker processes inherit."
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; unknown variables are ignored, malformed ones raise ``ValidationError``."""
        names = {
            "host": "FTKIT_HOST",
            "port": "FTKIT_PORT",
            "database_url": "FTKIT_DATABASE_URL",
            "token": "FTKIT_TOKEN",
            "upstream_key": "FTKIT_UPSTREAM_KEY",
            "hf_endpoint": "HF_ENDPOINT",
            "offline": "HF_HUB_OFFLINE",
            "space_host": "SPACE_HOST",
            "samples": "FTKIT_SAMPLES",
            "stall_seconds": "FTKIT_STALL_SECONDS",
            "waiting_per_user": "FTKIT_WAITING_PER_USER",
        }
        given = {field: environ[name] for field, name in names.items() if environ.get(name)}
        hosts = tuple(h.strip() for h in environ.get("FTKIT_ALLOWED_HOSTS", "").split(",") if h.strip())
        home = Path(environ.get("FTKIT_HOME") or Path.home() / ".ftkit").expanduser().resolve()
        return cls.model_validate(
            {
                **given,
                "home": home,
                "allowed_hosts": hosts,
                "recipes": Path(environ.get("FTKIT_RECIPES") or _SHIPPED_RECIPES),
                "environment": dict(environ),
            }
        )

    @property
    def store_url(self) -> str:
        """Address of the database: the one that was given, or a file in the data folder."""
        return self.database_url or f"sqlite:///{self.home / 'ftkit.sqlite'}"

    @property
    def local(self) -> bool:
        """Whether the dashboard can be reached from this machine only."""
        if self.space_host:
            return False
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def dangerous_switches(self) -> tuple[str, ...]:
        """Names of Gradio variables in the environment that would bypass the app's own protection."""
        return tuple(name for name in _DANGEROUS if self.environment.get(name))

    def worker_environment(self) -> dict[str, str]:
        """Environment of a worker process: ours, without the token of the dashboard and the key of other servers."""
        own = {"FTKIT_TOKEN", "FTKIT_UPSTREAM_KEY"}
        inherited = {k: v for k, v in self.environment.items() if k not in own}
        return {
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "PYTHONUNBUFFERED": "1",
            **_PATIENCE,
            **inherited,
            "FTKIT_HOME": str(self.home),
        }

    @staticmethod
    def training_environment() -> dict[str, str]:
        """What a training worker has beside that, where the person set nothing else: the allocator reads it before Python starts."""
        return dict(_TRAINING_ALLOCATOR)

    def prepare_web_process(self) -> None:
        """Set what Gradio reads from the environment at import; call before the first ``import gradio``."""
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["GRADIO_TEMP_DIR"] = str(self.home / "tmp")
        # After each event Gradio sums up the last 10,000 of them with pandas, for a page that is switched off.
        os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
        os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**12)


def failpoints(environ: Mapping[str, str] = os.environ) -> str:
    """FTKIT_FAILPOINT: what tests ask of ``ftkit.failpoints``; empty in real use."""
    return environ.get("FTKIT_FAILPOINT", "")
