"""Which exports went all the way to the warehouse. One small JSON file per export, written by raw, closed by the end.

``data/raw/exports/account=<a>/<export id>.v<reader>.open.json`` says that raw holds the export; without ``.open`` that
every month of it has reached the warehouse. The sensor asks for exports that have no closed one: that is its memory.
"""

from __future__ import annotations

import datetime as dt
import json

from tiktok_assets.exports.export import Export
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.partitions import Slice
from tiktok_assets.storage.lake import Lake, files_in

_CLOSED = f".v{READER_VERSION}.json"
_OPEN = f".v{READER_VERSION}.open.json"


def processed(lake: Lake, account: str) -> frozenset[str]:
    """The ids of the exports of ``account`` that went all the way to the warehouse."""
    names = (path.name for path in files_in(lake.raw_folder("exports", account)))
    return frozenset(
        name.removesuffix(_CLOSED) for name in names if name.endswith(_CLOSED) and not name.endswith(_OPEN)
    )


def write_receipt(lake: Lake, account: str, source: str, export: Export, run_id: str) -> None:
    """Note that raw holds ``export`` since the run ``run_id``, and which months it has to reach.

    What an open receipt notes already stays.
    """
    path = lake.raw_folder("exports", account) / f"{export.export_id}{_OPEN}"
    if path.exists():
        return
    first, last = export.window
    receipt = {
        "export_id": export.export_id,
        "source": source,
        "run_id": run_id,
        "written_at": dt.datetime.now(dt.UTC).isoformat(),
        "downloaded_at": export.downloaded_at.isoformat(),
        "downloaded_at_evidence": export.downloaded_at_evidence,
        "window": [first.isoformat(), last.isoformat()],
        "months": [month.isoformat() for month in lake.months_kept(export.months)],
        "months_reached": [],
        "reports": [member.report.name for member in export.members],
        "warnings": export.warnings,
    }
    content = f"{json.dumps(receipt, indent=2, ensure_ascii=False)}\n".encode()
    lake.write_bytes(path, content)


def close_receipts(lake: Lake, account: str, part: Slice, run_id: str, started_at: dt.datetime) -> None:
    """Note that ``part`` has reached the warehouse; close the receipts of ``account`` that wait for no other month.

    Only what the run has seen counts: what it wrote itself, or what lay in raw when it started. Another run may have
    put an export into raw after this one had read it. And a backfill of many accounts is one run a month: the months
    of an export may arrive in different runs, at once.
    """
    with lake.alone("receipts"):
        for path in files_in(lake.raw_folder("exports", account)):
            if not path.name.endswith(_OPEN):
                continue
            receipt = json.loads(path.read_bytes())
            if receipt.get("run_id") != run_id and receipt.get("written_at", "") > started_at.isoformat():
                continue
            reached = {*receipt["months_reached"], *(month.isoformat() for month in part.months)}
            receipt["months_reached"] = sorted(reached.intersection(receipt["months"]))
            done = receipt["months_reached"] == receipt["months"]
            target = path.parent / path.name.replace(_OPEN, _CLOSED) if done else path
            lake.write_bytes(target, f"{json.dumps(receipt, indent=2, ensure_ascii=False)}\n".encode())
            if done:
                lake.remove(path)
