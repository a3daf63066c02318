"""``dagster-webserver`` behind the guard, the reports beside it, with the same options.

Started as ``python -m tiktok_assets.webserver.server``: by `tiktok-assets dev`, and on a machine of a cluster.

Dagster offers no way to add a middleware to its server. The application is made by one function, which is replaced
here. The version is pinned; ``test_dev`` fails where a new one starts the server otherwise.
"""

from __future__ import annotations

from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.types import ASGIApp

from tiktok_assets.settings import load_settings
from tiktok_assets.webserver.guard import Guard
from tiktok_assets.webserver.reports import with_reports


def main() -> None:
    """The command."""
    cli.create_app_from_workspace_process_context = guarded  # pyright: ignore[reportPrivateImportUsage]
    cli.main()


def guarded(*arguments: Any, **options: Any) -> Guard:
    """Dagster's application behind the guard, with the reports, wherever they lie."""
    app: ASGIApp = create_app_from_workspace_process_context(*arguments, **options)
    settings = load_settings()
    return Guard(with_reports(app, settings.reports), settings.web_url)


if __name__ == "__main__":
    main()
