"""Where statements lie: ``data/statements/account=<a>/<account>-<month>-<number>`` as HTML, PDF and JSON.

Those of a client lie in ``client=<c>``.

The JSON holds the numbers and the sha256 of both pages, and is written last.
Nothing here is ever replaced. Does not belong here: what a statement says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import replace

from pydantic import ValidationError
from upath import UPath

from tiktok_assets.inbox.findings import Finding
from tiktok_assets.reporting.statements.statement import Statement, name_in
from tiktok_assets.storage.lake import Lake, files_in

ISSUING = "statements"
"""The lock of the next number."""
_RESTORE = "restore it from a backup: a statement is never made again"


class StatementDamaged(Exception):
    """A kept statement is not what was issued. The message names the file and the remedy."""

    def __init__(self, path: UPath, problem: str) -> None:
        self.finding = Finding(place=f"{path}", problem=problem, remedy=_RESTORE)
        super().__init__(str(self.finding))


def issued(lake: Lake, folder: str, month: dt.date) -> list[Statement]:
    """The statements of a month in ``folder`` (of an account or a client), by number. Raises StatementDamaged."""
    named = f"{name_in(folder)}-{month:%Y-%m}-"
    paths = [path for path in _records(lake.settings.statements / folder) if path.name.startswith(named)]
    return sorted((_read(path) for path in paths), key=lambda one: one.number)


def pages(lake: Lake, statement: Statement) -> dict[str, UPath]:
    """By suffix, the paths of its pages."""
    return {suffix: _path(lake, statement, suffix) for suffix in (".html", ".pdf")}


def content(lake: Lake, statement: Statement, suffix: str) -> bytes:
    """The bytes of a page as they were issued. Raises StatementDamaged."""
    path = _path(lake, statement, suffix)
    try:
        found = path.read_bytes()
    except FileNotFoundError as error:
        raise StatementDamaged(path, "this page of an issued statement is missing") from error
    issued_as = statement.html_sha256 if suffix == ".html" else statement.pdf_sha256
    if hashlib.sha256(found).hexdigest() != issued_as:
        raise StatementDamaged(path, "this page of a statement is not as it was issued")
    return found


def keep(lake: Lake, statement: Statement, html: str, pdf: bytes) -> Statement:
    """Store a new statement; returned as stored. The caller holds ``ISSUING``."""
    written = html.encode()
    kept = statement.model_copy(
        update={"html_sha256": hashlib.sha256(written).hexdigest(), "pdf_sha256": hashlib.sha256(pdf).hexdigest()}
    )
    for suffix in (".html", ".pdf", ".json"):
        if (path := _path(lake, kept, suffix)).exists():
            raise StatementDamaged(path, "this page of a statement has no record, and a statement is never replaced")
    lake.write_bytes(_path(lake, kept, ".html"), written)
    lake.write_bytes(_path(lake, kept, ".pdf"), pdf)
    lake.write_bytes(_path(lake, kept, ".json"), kept.model_dump_json(indent=1).encode() + b"\n")
    return kept


def damaged(lake: Lake) -> Iterator[Finding]:
    """The kept pages and records, of every account and client, that are not as they were issued."""
    for folder in sorted(files_in(lake.settings.statements), key=str):
        kind, _, account = folder.name.partition("=")
        for finding in _damaged_in(lake, folder):
            yield replace(finding, account=account) if kind == "account" else finding


def _damaged_in(lake: Lake, folder: UPath) -> Iterator[Finding]:
    recorded = {path.name.removesuffix(".json") for path in _records(folder)}
    for path in _files(folder):
        if path.name.rpartition(".")[0] not in recorded:
            yield StatementDamaged(path, "the record of this page is missing").finding
    for record in _records(folder):
        try:
            statement = _read(record)
        except StatementDamaged as error:
            yield error.finding
            continue
        for suffix in pages(lake, statement):
            try:
                content(lake, statement, suffix)
            except StatementDamaged as error:
                yield error.finding


def _path(lake: Lake, statement: Statement, suffix: str) -> UPath:
    return lake.settings.statements / statement.folder / f"{statement.name}{suffix}"


def _records(folder: UPath) -> list[UPath]:
    return [path for path in _files(folder) if path.name.endswith(".json")]


def _files(folder: UPath) -> list[UPath]:
    """What is kept there, without what a file browser left."""
    if folder.name.startswith("."):
        return []
    found = (path for path in files_in(folder) if not path.name.startswith(".") and path.is_file())
    return sorted(found, key=str)


def _read(path: UPath) -> Statement:
    try:
        return Statement.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise StatementDamaged(path, "this is no record of a statement") from error
