"""``dagster-webserver`` behind the guard, with the same options: ``python -m tiktok_assets.webserver.server``.

Dagster offers no way to add a middleware to its server. The application is made by one function, which is replaced
here. The version is pinned; ``test_dev`` fails where a new one starts the server otherwise.
"""

from __future__ import annotations

from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context

from tiktok_assets.webserver.guard import Guard


def main() -> None:
    """The command."""
    cli.create_app_from_workspace_process_context = guarded  # pyright: ignore[reportPrivateImportUsage]
    cli.main()


def guarded(*arguments: Any, **options: Any) -> Guard:
    """Dagster's application behind the guard."""
    return Guard(create_app_from_workspace_process_context(*arguments, **options))


if __name__ == "__main__":
    main()
