"""The settings of one installation: read once from the environment and ``.env``, validated, immutable.

What belongs here: every ``TIKTOK_*`` variable with its type, default and valid values, and the folders that follow
from them. What does not: the accounts (``accounts.py``), and whether a folder or browser exists; nothing is created.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import difflib
import importlib.util
import logging
import os
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import fsspec
from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from upath import UPath

from tiktok_assets import clock

PREFIX = "TIKTOK_"
SECRETS = ("session_key", "notify", "state_url", "egress_proxy")
"""The settings whose values are never shown."""
STREAMS = "streams"
"""The folder of landing that is no account's."""
FIRST_MONTH_OF_TIKTOK = date(2016, 9, 1)
TOGETHER, APART = "together", "apart"
"""The values of ``loading``."""
DEFAULT_EGRESS = "default"
"""The egress of an account for which none is written: the network of whichever machine visits it."""
NO_EGRESS = "none"
"""What ``egress`` is on a machine that never visits Studio; no account has it."""
EGRESS_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")  # it becomes a part of a queue's name

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_BETWEEN_URLS = re.compile(r",?\s+|,(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_ENCODED = re.compile(
    r"(?:(?:[^@%:]|%[0-9A-Fa-f]{2})*(?::(?:[^@%:]|%[0-9A-Fa-f]{2})*)?@)?(?:\[[^@%\]]+\]|[^@%:\[\]]+)(?::\d*)?"
)
"""A user, a password, a host and a port, as they stand in a URL."""
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class InvalidSettings(ValueError):
    """Values that cannot be used: one line for each, naming the variable, the value given and the valid values."""


PROJECT_MARKS = ("accounts.toml", "dagster.yaml")
"""The files that make a folder a project."""


def project_root() -> Path:
    """The checkout this package runs from; installed without one, the folder that ``tiktok-assets init`` made.

    That is the current folder or the nearest one above it with an ``accounts.toml`` and a ``dagster.yaml``; the current
    folder where there is none.
    """
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout
    here = Path.cwd()
    made = (folder for folder in (here, *here.parents) if all((folder / name).is_file() for name in PROJECT_MARKS))
    return next(made, here)


def _path(value: object) -> object:
    """``~`` opened, and a relative path taken from the project root: the same folder wherever a command is started."""
    if isinstance(value, str | Path):
        return Path(os.path.normpath(project_root() / Path(value).expanduser()))
    return value


def _location(value: object) -> object:
    """A folder as an absolute path, or a URL of any storage fsspec knows, kept as written."""
    if isinstance(value, str) and value.startswith("file://"):
        value = urlsplit(value).path
    if not isinstance(value, str) or "://" not in value:
        value = _path(value)
        return UPath(value) if isinstance(value, Path) else value
    protocol = value.partition("://")[0]
    if protocol not in fsspec.available_protocols():
        raise ValueError(f"no storage is called {protocol}://")
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        raise ValueError(_MISSING_PACKAGE if protocol in _S3 else str(error)) from error
    return UPath(value.rstrip("/"), **(_OPTIONS_OF_S3 if protocol in _S3 else {}))


_S3 = ("s3", "s3a")
_MISSING_PACKAGE = "S3 needs the extra `cluster`: `uv sync --extra cluster`, or `pip install 'tiktok-assets[cluster]'`"
_OPTIONS_OF_S3 = {
    "use_listings_cache": False,  # it is for ever: what other processes store would never be seen
    "max_concurrency": 1,  # of the parts of one object: with more, s3fs asks for the size before each read
    "config_kwargs": {"retries": {"mode": "standard", "max_attempts": 10}, "max_pool_connections": 32},
}
"""Endpoint, region and credentials come from the usual variables, ``AWS_*``. A server that is busy (503) is asked again
for about a minute."""


def _file(value: object) -> object:
    """A file as an absolute path, or a URL as ``_location``."""
    place = _location(value)
    return Path(place) if isinstance(place, Path) else place


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    return value


def _day(value: object) -> object:
    return f"{value}-01" if isinstance(value, str) and len(value) == len("2020-01") else value


def _month(value: date) -> date:
    """The first day of the month: partitions are months, and a half one would never be complete."""
    if value > clock.today():
        raise ValueError(f"it lies after today, which is {clock.today()} by this machine's clock")
    if value < FIRST_MONTH_OF_TIKTOK:
        raise ValueError("TikTok has no data from then")
    return value.replace(day=1)


def _web_address(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError("this is no web address")
    return value.rstrip("/")


def _notify_urls(value: SecretStr) -> SecretStr:
    if not all(_URL.fullmatch(one) for one in urls_of(value) or [""]):
        raise ValueError("each entry begins with the name of a service and ://")
    return value


def urls_of(value: SecretStr) -> list[str]:
    """The URLs in ``TIKTOK_NOTIFY``: separated by spaces, or by a comma before the next one."""
    return [one.strip() for one in _BETWEEN_URLS.split(value.get_secret_value()) if one.strip()]


def _egress_names(value: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [name for name in value if not EGRESS_NAME.fullmatch(name)]:
        raise ValueError(f"{wrong[0]} is no name of an egress")
    return value


def _egress_proxies(value: SecretStr) -> SecretStr:
    for name, address in proxies_of(value).items():
        url = urlsplit(address)
        if not EGRESS_NAME.fullmatch(name) or url.scheme not in ("http", "https", "socks5") or not url.hostname:
            raise ValueError("each entry is the name of an egress, = and the address of its proxy")
        if url.scheme == "socks5" and url.username:
            raise ValueError("Chromium gives no password to a socks5 proxy; use http:// or https://")
    return value


def proxies_of(value: SecretStr) -> dict[str, str]:
    """The addresses in ``TIKTOK_EGRESS_PROXY`` by egress."""
    entries = (entry.partition("=") for entry in value.get_secret_value().split())
    return {name: address for name, _, address in entries}


def _weekday_and_time(value: str) -> str:
    day, _, time = value.strip().capitalize().partition(" ")
    if day not in calendar.day_name or not _TIME.fullmatch(time.strip()):
        raise ValueError("this is no weekday and time")
    return f"{day} {time.strip()}"


def _timezone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no timezone is called that") from error


def _fernet_key(value: SecretStr) -> SecretStr:
    try:
        size = len(base64.urlsafe_b64decode(value.get_secret_value()))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        raise ValueError("this is no such key")
    return value


def _postgres(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
    except ValueError:  # it quotes what is between the slashes
        raise ValueError("this is no such URL") from None
    if parts.scheme != "postgresql" or not parts.hostname:
        raise ValueError("this is no such URL")
    # Else whoever connects quotes a part of the password in an error.
    if not _ENCODED.fullmatch(parts.netloc) or "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("user and password have to be URL-encoded: %40 for @, %2F for /, %23 for #, %25 for %")
    require_cluster("psycopg")
    return value


def require_cluster(package: str) -> None:
    """Raise ValueError where a package of the extra ``cluster`` is not installed. Imports nothing."""
    if importlib.util.find_spec(package) is None:
        raise ValueError(
            f"it needs the package {package}, which is not installed. Run `uv sync --extra cluster`, or "
            "`pip install 'tiktok-assets[cluster]'`"
        )


def _required_where_shared(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    if value is None and info.data.get("state_url") is not None:
        raise ValueError("TIKTOK_STATE_URL is set, and logins that machines share are always encrypted")
    return value


def _setting(meaning: str, valid: str, default: Any = ..., **constraints: Any) -> Any:
    """A field whose meaning goes to ``.env.example`` and whose valid values go into the error message."""
    return Field(default, description=meaning, json_schema_extra={"valid": valid}, **constraints)


Location = Annotated[UPath, BeforeValidator(_location)]
AnyFile = Annotated[Path | UPath, BeforeValidator(_file)]
LocalPath = Annotated[Path, BeforeValidator(_path)]
A_TOML_FILE = "a TOML file, also at a storage address such as s3://bucket/file.toml"
A_FOLDER = "a folder, or a storage address such as s3://bucket/folder"
SECONDS = "a number of seconds, 0 or more"
TRUE_FALSE = "true or false (also 1/0, yes/no, on/off)"


class Settings(BaseSettings):
    """Every setting, by its variable's name without ``TIKTOK_`` in lower case. Reads the environment, not ``.env``:
    ``load_settings`` is what programs call, tests may call this."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    data_dir: Location = _setting("Where all data is kept", A_FOLDER, UPath("data"))
    local_dir: LocalPath = _setting(
        "Where this machine keeps what is its alone, if the data lies at a storage address", "a folder", Path("data")
    )
    landing_path: Location | None = _setting("Another folder in which exports arrive", A_FOLDER, None)
    accounts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = _setting(
        "The accounts in use; unset means all in the accounts file",
        "names separated by commas, for example pig1987,zonea0",
        (),
    )
    clients: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = _setting(
        "The clients whose accounts are in use; unset means all",
        "names of clients in the accounts file, separated by commas",
        (),
    )
    accounts_file: AnyFile = _setting("The file that describes the accounts", A_TOML_FILE, Path("accounts.toml"))
    songs_file: AnyFile = _setting("The file that describes the songs", A_TOML_FILE, Path("songs.toml"))
    targets_file: AnyFile = _setting(
        "The file with targets of months", "a CSV file, also at a storage address", Path("targets.csv")
    )
    start_date: Annotated[date, BeforeValidator(_day), AfterValidator(_month)] = _setting(
        "The first month to keep",
        f"a month or day from {FIRST_MONTH_OF_TIKTOK:%Y-%m} to today, as 2024-03 or 2024-03-01",
        date(2020, 1, 1),
    )
    sensor_interval: int = _setting(
        "Seconds between two scans for new exports", "a whole number of seconds, 1 or more", 10, ge=1
    )
    run_size: int = _setting(
        "Partitions (accounts times months) that one run of the sensor or of `process` holds at most; an account "
        "with more of them gets a run of its own",
        "a whole number, 1 or more",
        260,
        ge=1,
    )
    read_memory: int = _setting(
        "MB of memory that reading one small file may take; a large one may take more",
        "a whole number of MB, 64 or more",
        350,
        ge=64,
    )
    read_seconds: float = _setting(
        "Seconds of computing that reading one small file may take; a large one may take more",
        "a number of seconds, 1 or more",
        8,
        ge=1,
        allow_inf_nan=False,
    )
    publish_interval: float = _setting(
        "Seconds between two publications of the warehouse while more runs wait; the last run always publishes",
        SECONDS,
        15,
        ge=0,
        allow_inf_nan=False,
    )
    loading: Literal["together", "apart"] = _setting(
        "Whether the run that makes the tables of the lake also loads the warehouse (together), or runs of their own "
        "do, on one dedicated worker (apart)",
        "together or apart",
        "together",
    )
    studio_url: Annotated[str, AfterValidator(_web_address)] = _setting(
        "The site that serves Studio",
        "an address that starts with https:// or http://",
        "https://www.tiktok.com",
    )
    headless: bool = _setting("Whether the browser runs without a window", TRUE_FALSE, True)
    browser_path: LocalPath | None = _setting(
        "The Chromium or Chrome to use; unset means the first one found", "the path of the program", None
    )
    screenshot_on_error: bool = _setting("Whether a failed visit saves a screenshot", TRUE_FALSE, True)
    download_timeout: float = _setting(
        "Seconds to wait for one download", "a number of seconds above 0", 60, gt=0, allow_inf_nan=False
    )
    export_interval: float = _setting(
        "Seconds between two exports of one account", SECONDS, 3600, ge=0, allow_inf_nan=False
    )
    account_spacing: float = _setting(
        "Seconds between two accounts of one egress", SECONDS, 300, ge=0, allow_inf_nan=False
    )
    egress: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_egress_names)] = (
        _setting(
            "The egresses through which this machine may visit Studio, of those in the accounts file; unset means all",
            "names of lower-case letters, digits and hyphens, separated by commas, for example lisbon,porto",
            (),
        )
    )
    egress_proxy: Annotated[SecretStr, AfterValidator(_egress_proxies)] | None = _setting(
        "The proxy of each egress that leaves this machine through one",
        "entries such as lisbon=http://user:password@192.0.2.7:3128 (also https, socks5), separated by spaces",
        None,
    )
    link_life: float = _setting(
        "Seconds for which the link to a finished export stays valid", SECONDS, 3600, ge=0, allow_inf_nan=False
    )
    max_export_days: int = _setting(
        "The most days one export may span", "a whole number of days, 1 to 365", 180, ge=1, le=365
    )
    insight_videos: int = _setting(
        "Videos whose pages a visit opens for watch time and completion, newest first",
        "a whole number of pages, 0 (none) to 200",
        10,
        ge=0,
        le=200,
    )
    viral_min_views: int = _setting(
        "The views a video needs to be viral by its daily growth",
        "a whole number of views, 0 or more",
        10_000,
        ge=0,
    )
    viral_growth: float = _setting(
        "How many times as fast as before a viral video gains views, per day",
        "a number above 0",
        5.0,
        gt=0,
        allow_inf_nan=False,
    )
    archive_after: int = _setting(
        "Days after its download when `tiktok-assets archive` moves a processed export from landing to the archive",
        "a whole number of days, 0 or more",
        90,
        ge=0,
    )
    notify: Annotated[SecretStr, AfterValidator(_notify_urls)] | None = _setting(
        "Where alerts and the weekly digest are sent; unset means nowhere. docs/notices.md has a line for each service",
        "URLs of Apprise separated by spaces, for example mailtos://user:password@example.com?to=me@example.com",
        None,
    )
    digest_at: Annotated[str, AfterValidator(_weekday_and_time)] = _setting(
        "When the weekly digest is sent; the numbers of a Sunday are available on Monday at 17:00 UTC",
        "a weekday and a time, as Tuesday 08:00",
        "Tuesday 08:00",
    )
    digest_timezone: Annotated[str, AfterValidator(_timezone)] = _setting(
        "The timezone of that time", "an IANA name, for example Europe/Lisbon", "UTC"
    )
    web_url: Annotated[str, AfterValidator(_web_address)] = _setting(
        "The address of Dagster and the reports, with which the links in messages begin",
        "an address that starts with https:// or http://",
        "http://127.0.0.1:3000",
    )
    state_url: Annotated[SecretStr, AfterValidator(_postgres)] | None = _setting(
        "Where several machines share locks, limits, logins and ledgers; unset means in files of this machine. "
        "TIKTOK_SESSION_KEY must be set as well",
        "the URL of a Postgres database, for example postgresql://user:password@host/database",
        None,
    )
    session_key: Annotated[
        Annotated[SecretStr, AfterValidator(_fernet_key)] | None, AfterValidator(_required_where_shared)
    ] = _setting(
        "Encrypts the saved login when set", "a Fernet key: 32 random bytes as 44 URL-safe base64 characters", None
    )

    @property
    def landing(self) -> UPath:
        """ZIPs as served, one folder an account."""
        return self.data_dir / "landing"

    @property
    def landed_streams(self) -> UPath:
        """Files of streams, which belong to songs and to no account."""
        return self.landing / STREAMS

    @property
    def archived_streams(self) -> UPath:
        """Files of streams that `archive` has moved here."""
        return self.archive / STREAMS

    @property
    def raw(self) -> UPath:
        return self.data_dir / "raw"

    @property
    def staging(self) -> UPath:
        return self.data_dir / "staging"

    @property
    def curated(self) -> UPath:
        return self.data_dir / "curated"

    @property
    def quarantine(self) -> UPath:
        """Unusable files, each with a ``.json`` that states the reason."""
        return self.data_dir / "quarantine"

    @property
    def archive(self) -> UPath:
        """Processed exports, one folder an account; read as landing is."""
        return self.data_dir / "archive"

    @property
    def reports(self) -> UPath:
        """The front page and a page for each account."""
        return self.data_dir / "reports"

    @property
    def statements(self) -> UPath:
        """Issued statements, one folder an account or client; never changed."""
        return self.data_dir / "statements"

    @property
    def warehouse(self) -> UPath:
        """The published DuckDB file, which people read; from other storage through a copy in ``published_copies``."""
        return self.data_dir / "warehouse" / "tiktok.duckdb"

    @property
    def published_copies(self) -> Path:
        """Copies of a published warehouse that lies in other storage, for the programs of this machine."""
        return self.state / "published"

    @property
    def state(self) -> Path:
        """What this machine keeps for itself, and without ``state_url`` also what processes share: locks, ledgers,
        logins. Always on this machine: SQLite locks and file modes exist nowhere else."""
        return self._local_data / "state"

    @property
    def working_warehouse(self) -> Path:
        """The pipeline's own DuckDB file; ``warehouse`` is the published copy of it. Always on this machine: DuckDB
        writes to no object storage."""
        return self.state / "warehouse.duckdb"

    @property
    def previous_lake(self) -> UPath:
        """The lake before a rebuild, until the new one is complete; in the same storage."""
        return UPath(self.state if isinstance(self.data_dir, Path) else self.data_dir) / "before-rebuild"

    @property
    def locks(self) -> Path:
        """The folder of ``tiktok_assets.storage.file_locks``."""
        return self.state / "locks"

    @property
    def _local_data(self) -> Path:
        return self.data_dir if isinstance(self.data_dir, Path) else self.local_dir


def variable(field: str) -> str:
    """The environment variable of a setting: ``data_dir`` is read from ``TIKTOK_DATA_DIR``."""
    return f"{PREFIX}{field}".upper()


def load_settings(**overrides: Any) -> Settings:
    """The settings of this installation: ``overrides`` win over the environment, which wins over the root's ``.env``.

    Raises ``InvalidSettings`` that names every unusable value at once. (``dagster dev`` itself copies ``.env`` into its
    environment first: there, and only there, the file wins over the shell.)
    """
    env_file = project_root() / ".env"
    _warn_about_misspellings([*os.environ, *(dotenv_values(env_file) if env_file.is_file() else ())])
    try:
        return Settings(_env_file=env_file, **overrides)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise _explained(error) from None


def _explained(error: ValidationError) -> InvalidSettings:
    lines = {}  # by field: an optional one reports a line for each of its types
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]).lower().removeprefix(PREFIX.lower())
        field = Settings.model_fields[name]
        reason = problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        lines[name] = f"{variable(name)}={_shown(name, problem['input'])}: {reason}. Valid: {_valid(field)}."
    where = f"The values come from the environment or {project_root() / '.env'}; .env.example lists every setting."
    return InvalidSettings("\n".join(["Settings that cannot be used:", *lines.values(), where]))


def _valid(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["valid"]) if isinstance(extra, dict) else ""


def _shown(name: str, value: object) -> str:
    """The value given, except of a setting whose value is a secret."""
    return "(hidden)" if name in SECRETS else repr(value if isinstance(value, str) else str(value))


def _warn_about_misspellings(names: Iterable[str]) -> None:
    """A variable that is almost a setting's: it would be ignored silently. Other TIKTOK_ names may be others'."""
    valid = [variable(field) for field in Settings.model_fields]
    for name in names:
        meant = difflib.get_close_matches(name.upper(), valid, n=1, cutoff=0.85) if name.upper() not in valid else []
        if name.upper().startswith(PREFIX) and meant:
            logging.getLogger(__name__).warning("%s is not a setting and was ignored. Did you mean %s?", name, meant[0])
