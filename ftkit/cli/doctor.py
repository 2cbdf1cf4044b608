"""``ftkit doctor``: can this machine run ftkit, and what to fix where it cannot.

Each check takes what it looks at and gives a ``Check``. It repairs nothing, and imports none of the libraries it asks
about.
"""

import importlib.metadata
import platform
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import psutil
from rich.text import Text

from ftkit import __version__
from ftkit.cli.output import Answer, plain
from ftkit.cli.session import open_workspace, read_settings
from ftkit.errors import FtkitError
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.storage import MOUNTS, is_shared, storage_kind

if TYPE_CHECKING:
    from ftkit.settings import Settings

State = Literal["ok", "warn", "bad"]

_GIGABYTE = 2**30
_NEEDED_MEMORY, _COMFORTABLE_MEMORY = 1.5, 4.0
_NEEDED_DISK, _COMFORTABLE_DISK = 1.0, 5.0
_NETWORK_SECONDS = 4.0
_BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+)\s*$")
_INSTALL = "Install the pinned versions: make install, or pip install -r requirements.txt"
_STYLE = {"ok": "green", "warn": "yellow", "bad": "red"}


class Check(NamedTuple):
    """One line of the report."""

    check: str
    state: State
    text: str
    fix: str = ""


def doctor() -> Answer:
    """Look at the machine, the libraries, the data folder and the network, and say what to fix.

    JSON: `usable`, `version`, `checks`.
    """
    settings = read_settings()
    with ThreadPoolExecutor(2) as pool:
        asked = list(pool.map(lambda source: network(settings, *source), _sources(settings)))
    checks = [*machine(), *storage(settings.home), *libraries(pins()), *workspace(settings), *asked]
    checks += safety(settings)
    usable = all(check.state != "bad" for check in checks)
    value = {"usable": usable, "version": __version__, "checks": [check._asdict() for check in checks]}
    shown = [_line(check) for check in checks]
    verdict = (
        "\nftkit can work here." if usable else "\nftkit cannot work here before the red lines are fixed."
    )
    return Answer(value, [*shown, verdict], 0 if usable else 1)


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Check]:
    """Processor, memory, GPU."""
    from ftkit.training.machine import look  # noqa: PLC0415 - asks nvidia-smi only when the doctor is called

    seen = look()
    name, flags = _processor(cpuinfo)
    fast = [flag for flag in _BF16_FLAGS if flag in flags]
    units = (
        f"bfloat16 units ({', '.join(fast)})"
        if fast
        else "no bfloat16 units: it computes in 32 bits, more slowly"
    )
    yield Check("processor", "ok", f"{name}, {seen.cores} cores, {units}")
    yield memory(seen.memory_mb / 1024 if not seen.gpu else psutil.virtual_memory().available / _GIGABYTE)
    if seen.gpu:
        yield Check("gpu", "ok", f"{seen.gpu}, {seen.memory_mb} MB free")
    else:
        yield Check("gpu", "ok", "none: models are trained on the processor")


def memory(free: float) -> Check:
    """Whether ``free`` gigabytes are enough to train."""
    text = f"{free:.1f} GB free of {psutil.virtual_memory().total / _GIGABYTE:.1f} GB"
    if free < _NEEDED_MEMORY:
        return Check("memory", "bad", text, f"Close programs until {_NEEDED_MEMORY} GB are free.")
    if free < _COMFORTABLE_MEMORY:
        return Check("memory", "warn", text, "Use a small batch size, or close programs before training.")
    return Check("memory", "ok", text)


def _processor(cpuinfo: Path) -> tuple[str, set[str]]:
    """Name and feature flags of the processor; x86 calls them flags, ARM features."""
    name, flags = platform.machine(), set[str]()
    if not cpuinfo.is_file():
        return name, flags
    for line in cpuinfo.read_text(errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip().lower() in {"flags", "features"}:
            flags = set(value.split())
    return name, flags


def storage(home: Path, mounts: Path = MOUNTS) -> Iterator[Check]:
    """Room and kind of storage of the data folder."""
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free / _GIGABYTE
    text = f"{free:.1f} GB free for {home}"
    if free < _NEEDED_DISK:
        yield Check("disk", "bad", text, f"Free {_NEEDED_DISK:.0f} GB, or set FTKIT_HOME to another disk.")
    elif free < _COMFORTABLE_DISK:
        yield Check("disk", "warn", text, "Models and checkpoints are large; delete old runs.")
    else:
        yield Check("disk", "ok", text)
    kind = storage_kind(there, mounts)
    if is_shared(kind):
        fix = "The database needs a local disk: set FTKIT_HOME to one, or FTKIT_DATABASE_URL to a PostgreSQL server."
        yield Check("storage", "warn", f"{kind}: a shared or user-space file system", fix)
    elif kind == "tmpfs":
        yield Check(
            "storage", "warn", "tmpfs: in memory, gone at the next start", "Set FTKIT_HOME to a disk."
        )
    else:
        yield Check("storage", "ok", kind or "unknown kind")


def libraries(pins: Iterable[tuple[str, str]]) -> Iterator[Check]:
    """Python, and the installed version of each pinned library."""
    yield Check("python", "ok", f"{platform.python_version()} ({sys.executable})")
    missing, other, count = [], [], 0
    for name, wanted in pins:
        count += 1
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found.partition("+")[0] != wanted.partition("+")[0]:
            other.append(f"{name} {found} (tested with {wanted})")
    if missing:
        yield Check("libraries", "bad", f"missing: {', '.join(missing)}", _INSTALL)
    if other:
        yield Check("libraries", "warn", ", ".join(other), _INSTALL)
    if not missing and not other:
        yield Check("libraries", "ok", f"all {count} in their pinned versions")


def pins() -> list[tuple[str, str]]:
    """Pinned libraries: of requirements.txt in a checkout, of the package's metadata elsewhere."""
    file = Path(__file__).parents[2] / "requirements.txt"
    lines = file.read_text().splitlines() if file.is_file() else importlib.metadata.requires("ftkit") or []
    return [(m[1], m[2]) for line in lines if (m := _PIN.fullmatch(line.strip()))]


def workspace(settings: "Settings") -> Iterator[Check]:
    """The data folder, its database with its backups, and the bundled model."""
    try:
        if settings.database_url is None and (damage := _damage(settings)):
            yield damage
            return
        with open_workspace(settings) as opened:
            version = opened.schema_version()
            present = any(model.id == BUNDLED_ID for model in opened.models.all())
    except ImportError as error:
        yield Check("database", "bad", f"a library cannot be loaded: {error}", _INSTALL)
        return
    except (FtkitError, OSError) as error:
        yield Check("database", "bad", str(error), "Set FTKIT_HOME to another folder, or restore a backup.")
        return
    yield from database(settings, version)
    if present:
        yield Check("bundled model", "ok", BUNDLED_ID)
    else:
        yield Check("bundled model", "warn", "not on this machine yet", f"ftkit models pull {BUNDLED_ID}")


def _damage(settings: "Settings") -> Check | None:
    """What a start would mend; looked at before anything is opened, since a doctor repairs nothing."""
    from ftkit.workspace import backups_of  # noqa: PLC0415 - the database costs half a second that --help must not pay

    file = backups_of(settings)
    if not settings.home.is_dir() or not (damage := file.ailment()):
        return None
    newest = file.newest_good()
    fix = (
        f"Start ftkit: the backup of {newest.made_at:%Y-%m-%d %H:%M} UTC takes its place by itself."
        if newest
        else "There is no good backup. Set FTKIT_HOME to another folder, or put a copy of your own in place."
    )
    return Check("database", "bad", f"damaged: {damage}", fix)


def database(settings: "Settings", version: str | None) -> Iterator[Check]:
    """Where a database that opens lies, who may use it, and its backups."""
    from ftkit.workspace import backups_of  # noqa: PLC0415 - as above

    if settings.database_url and not settings.database_url.startswith("sqlite"):
        yield Check("database", "ok", f"opens, schema {version}, on a server of its own")
        yield Check("backups", "ok", "not made by ftkit: back the server up with its own tools")
        return
    file = backups_of(settings)
    where = f"{file.kind or 'a disk of unknown kind'}, journal mode {file.journal_mode}"
    sharing = "one process at a time" if file.alone else "any number of processes"
    yield Check("database", "ok", f"opens, schema {version}, on {where}, {sharing}")
    kept = file.backups.all()
    newest = file.newest_good()
    if newest is None:
        yield Check("backups", "warn", "no good one yet", "ftkit backup make")
    else:
        yield Check(
            "backups",
            "ok",
            f"{len(kept)}, the newest good one of {newest.made_at:%Y-%m-%d %H:%M} UTC, in {file.backups.folder}",
        )


def _sources(settings: "Settings") -> list[tuple[str, str]]:
    return [("hub", settings.hf_endpoint), ("packages", "https://pypi.org/simple/")]


def network(settings: "Settings", name: str, url: str) -> Check:
    """Whether a source answers; ftkit works without, so it is never worse than a warning."""
    if name == "hub" and settings.offline:
        return Check(name, "ok", "not asked: HF_HUB_OFFLINE is set")
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": f"ftkit/{__version__}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_NETWORK_SECONDS) as reply:  # noqa: S310 - two known addresses
            return Check(name, "ok", f"{url} answers ({reply.status})")
    except urllib.error.HTTPError as error:  # it said no, so it is there
        return Check(name, "ok", f"{url} answers ({error.code})")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        lost = "models of the Hub" if name == "hub" else "the bundled model, the first time,"
        return Check(
            name, "warn", f"{url} does not answer ({reason})", f"Without it {lost} cannot be downloaded."
        )


def safety(settings: "Settings") -> Iterator[Check]:
    """Settings that would undo the dashboard's own protection."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if settings.home.is_relative_to(temporary):
        text = f"the data folder lies in {temporary}, which is emptied by the system"
        yield Check("temporary files", "warn", text, "Set FTKIT_HOME to a folder of its own.")
    else:
        yield Check("temporary files", "ok", f"{temporary} does not hold the data folder")
    if switches := settings.dangerous_switches():
        text = f"{', '.join(switches)} would open the dashboard to others"
        yield Check("environment", "bad", text, f"unset {' '.join(switches)}")
    else:
        yield Check("environment", "ok", "no switch that opens the dashboard to others")


def _line(check: Check) -> Text:
    line = Text.assemble(
        (f"{check.state:>4}  ", _STYLE[check.state]), (f"{check.check:<17}", "bold"), plain(check.text)
    )
    if check.fix:
        line.append_text(plain(f"\n      {'':<17}→ {check.fix}"))
    return line
