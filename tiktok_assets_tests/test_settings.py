"""Settings: defaults, where they come from, and the errors about unusable values."""

import ast
import logging
import re
from datetime import date
from pathlib import Path

import pytest
from upath import UPath

from tiktok_assets import settings as module
from tiktok_assets.accounts import add_account, load_roster, remove_account
from tiktok_assets.label.songs import add_song, load_songs
from tiktok_assets.label.targets import load_targets
from tiktok_assets.settings import InvalidSettings, Settings, load_settings, variable

ROOT = Path(__file__).parent.parent
FERNET_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own: neither the developer's ``.env`` nor the shell's variables are read."""
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)
    monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    return tmp_path


def message_for(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    return str(caught.value)


def test_without_any_variable_the_data_lies_in_the_project(root: Path) -> None:
    settings = load_settings()
    assert settings.landing == UPath(root / "data" / "landing")
    assert settings.warehouse == root / "data" / "warehouse" / "tiktok.duckdb"
    assert settings.accounts_file == root / "accounts.toml"
    assert (settings.download_timeout, settings.export_interval, settings.account_spacing) == (60, 3600, 300)
    assert (settings.max_export_days, settings.headless, settings.accounts) == (180, True, ())
    assert list(root.iterdir()) == []


def test_every_folder_is_below_the_data_folder() -> None:
    settings = load_settings(data_dir="/srv/tiktok")
    folders = {name: str(getattr(settings, name)) for name in ("raw", "staging", "curated", "quarantine", "archive")}
    assert folders == {name: f"/srv/tiktok/{name}" for name in folders}
    assert settings.state == Path("/srv/tiktok/state")


def test_the_environment_wins_over_the_file_and_an_override_over_both(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / ".env").write_text("TIKTOK_MAX_EXPORT_DAYS=28\nTIKTOK_HEADLESS=no\nTIKTOK_ACCOUNT_SPACING=1\n")
    monkeypatch.setenv("TIKTOK_MAX_EXPORT_DAYS", "60")
    settings = load_settings(account_spacing=2)
    assert (settings.max_export_days, settings.headless, settings.account_spacing) == (60, False, 2)


def test_an_empty_value_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIKTOK_DATA_DIR", "TIKTOK_LANDING_PATH", "TIKTOK_ACCOUNTS", "TIKTOK_SESSION_KEY"):
        monkeypatch.setenv(name, "")
    assert load_settings() == Settings()


def test_a_relative_folder_starts_at_the_project_wherever_the_command_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert load_settings(landing_path="inbox/../drop").landing_path == UPath(root / "drop")


def test_a_folder_at_home_and_a_file_url_are_folders() -> None:
    assert load_settings(data_dir="~/tiktok").data_dir == UPath(Path.home() / "tiktok")
    assert load_settings(data_dir="file:///srv/tiktok").data_dir == UPath("/srv/tiktok")


def test_on_object_storage_the_state_stays_local_and_the_published_warehouse_lies_in_the_lake(root: Path) -> None:
    settings = load_settings(data_dir="s3://bucket/tiktok/")
    assert str(settings.raw) == "s3://bucket/tiktok/raw"
    assert settings.state == root / "data" / "state"
    assert str(settings.warehouse) == "s3://bucket/tiktok/warehouse/tiktok.duckdb"


def test_data_can_be_written_to_a_storage_address() -> None:
    folder = load_settings(data_dir="memory://settings-test").raw
    (folder / "one.txt").write_text("kept")
    assert (UPath("memory://settings-test/raw/one.txt")).read_text() == "kept"


def test_names_are_separated_by_commas_and_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOK_ACCOUNTS", " pig1987, zonea0,,pig1987 ")
    assert load_settings().accounts == ("pig1987", "zonea0")


@pytest.mark.parametrize("given", ["2024-03", "2024-03-31", date(2024, 3, 15)])
def test_the_first_month_starts_on_its_first_day(given: str | date) -> None:
    assert load_settings(start_date=given).start_date == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("name", "given", "valid"),
    [
        ("TIKTOK_DATA_DIR", "floppy://disk", "a folder, or a storage address such as s3://bucket/folder"),
        ("TIKTOK_LANDING_PATH", "floppy://disk", "a folder, or a storage address"),
        ("TIKTOK_START_DATE", "soon", "a month or day from 2016-09 to today"),
        ("TIKTOK_START_DATE", "2016-08-31", "a month or day from 2016-09 to today"),
        ("TIKTOK_START_DATE", "2999-01", "a month or day from 2016-09 to today"),
        ("TIKTOK_STUDIO_URL", "tiktok.com", "starts with https:// or http://"),
        ("TIKTOK_HEADLESS", "maybe", "true or false"),
        ("TIKTOK_SCREENSHOT_ON_ERROR", "2", "true or false"),
        ("TIKTOK_DOWNLOAD_TIMEOUT", "0", "a number of seconds above 0"),
        ("TIKTOK_DOWNLOAD_TIMEOUT", "inf", "a number of seconds above 0"),
        ("TIKTOK_EXPORT_INTERVAL", "-1", "a number of seconds, 0 or more"),
        ("TIKTOK_ACCOUNT_SPACING", "1h", "a number of seconds, 0 or more"),
        ("TIKTOK_MAX_EXPORT_DAYS", "366", "a whole number of days, 1 to 365"),
        ("TIKTOK_INSIGHT_VIDEOS", "-1", "a whole number of pages, 0 (none) to 200"),
    ],
)
def test_an_unusable_value_is_named_with_its_variable_and_the_valid_ones(
    name: str, given: str, valid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = message_for(monkeypatch, **{name: given})
    assert f"{name}='{given}'" in message
    assert valid in message


def test_all_unusable_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = message_for(monkeypatch, TIKTOK_HEADLESS="maybe", TIKTOK_MAX_EXPORT_DAYS="0")
    assert message.count("Valid:") == 2
    assert ".env.example" in message


def test_the_session_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "geheim" not in message_for(monkeypatch, TIKTOK_SESSION_KEY="geheim")
    settings = load_settings(session_key=FERNET_KEY)
    assert FERNET_KEY not in f"{settings!r}{settings}"
    assert settings.session_key is not None
    assert settings.session_key.get_secret_value() == FERNET_KEY


def test_a_shared_state_is_a_secret_and_needs_a_key_for_its_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://tiktok:geheim@db.example/tiktok"
    message = message_for(monkeypatch, TIKTOK_STATE_URL=url)
    assert "TIKTOK_SESSION_KEY" in message and "TIKTOK_STATE_URL is set" in message and "geheim" not in message
    assert "geheim" not in message_for(monkeypatch, TIKTOK_STATE_URL=url.replace("postgresql", "mysql"))
    settings = load_settings(state_url=url, session_key=FERNET_KEY)
    assert "geheim" not in f"{settings!r}{settings}"


@pytest.mark.parametrize(
    "password", ["ge@heim", "ge/heim", "12/3heim", "ge#heim", "ge?heim", "ge%zzheim", "ge:heim", "ge℀heim"]
)
def test_a_password_that_errors_would_quote_has_to_be_encoded(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    url = f"postgresql://tiktok:{password}@db.example/tiktok"
    message = message_for(monkeypatch, TIKTOK_STATE_URL=url, TIKTOK_SESSION_KEY=FERNET_KEY)
    assert "TIKTOK_STATE_URL" in message and "heim" not in message


@pytest.mark.parametrize(
    "place", ["tiktok:ge%40heim@db.example:5432", "tiktok@db.example", "db.example:", "u:@[::1]:5432"]
)
def test_an_address_of_postgres_may_leave_out_what_is_not_needed(place: str) -> None:
    assert load_settings(state_url=f"postgresql://{place}/tiktok", session_key=FERNET_KEY).state_url


def test_a_setting_whose_package_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = message_for(monkeypatch, TIKTOK_STATE_URL="postgresql://db.example/tiktok")
    assert "needs the package psycopg, which is not installed. Run `uv sync --extra cluster`" in message


def test_the_files_of_a_label_may_be_at_a_storage_address() -> None:
    shared = UPath("memory://label")
    files = {"accounts_file": "accounts.toml", "songs_file": "songs.toml", "targets_file": "targets.csv"}
    settings = load_settings(**{name: str(shared / file) for name, file in files.items()})
    assert (tuple(load_roster(settings)), load_songs(settings)) == ((), ())
    add_account(settings.accounts_file, "pig1987")
    add_song(settings, "nights", title="Nights", artist="Pig", release_date=date(2026, 6, 12), hashtags=["nights"])
    (shared / "targets.csv").write_text("account,metric,month,target\npig1987,video_views,2026-11,500000\n")
    roster = load_roster(settings)
    assert tuple(roster) == ("pig1987",)
    assert [one.key for one in load_songs(settings)] == ["nights"]
    assert [one.target for one in load_targets(settings, roster).targets] == [500_000]
    remove_account(settings.accounts_file, "pig1987")
    assert tuple(load_roster(settings)) == ()


def test_a_misspelt_variable_is_reported_and_an_unrelated_one_is_not(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TIKTOK_ACCOUNT", "pig1987")
    monkeypatch.setenv("TIKTOK_CLIENT_SECRET", "someone else's")
    (root / ".env").write_text("TIKTOK_DATADIR=elsewhere\n")
    with caplog.at_level(logging.WARNING):
        load_settings()
    assert [record.message for record in caplog.records] == [
        "TIKTOK_ACCOUNT is not a setting and was ignored. Did you mean TIKTOK_ACCOUNTS?",
        "TIKTOK_DATADIR is not a setting and was ignored. Did you mean TIKTOK_DATA_DIR?",
    ]


def test_no_message_names_a_folder_of_the_default_data_folder() -> None:
    """Such a path is wrong wherever TIKTOK_DATA_DIR is set; docstrings and examples of commands may name one."""
    folders = re.compile(r"\bdata/(landing|raw|staging|curated|warehouse|quarantine|archive|reports|state)\b")
    without_settings = {"cli/init.py", "storage/history.py"}  # the folders of a new project; the default itself
    package = ROOT / "tiktok_assets"
    found = []
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{path.relative_to(package)}, line {node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and folders.search(node.value)
            if id(node) not in documents and not node.value.startswith("Example: ")
            if str(path.relative_to(package)) not in without_settings
        ]
    assert found == []
