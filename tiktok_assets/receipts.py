"""Which exports went all the way to the warehouse. One small JSON file per export, written by raw, closed by the end.

``data/raw/exports/account=<a>/<export id>.v<reader>.open.json`` says that raw holds the export; without ``.open`` that
every month of it has reached the warehouse. The sensor asks for exports that have no closed one: that is its memory.
"""

from __future__ import annotations

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


def write_receipt(lake: Lake, account: str, source: str, export: Export) -> None:
    """Note that raw holds ``export``, and which months it has to reach."""
    first, last = export.window
    receipt = {
        "export_id": export.export_id,
        "source": source,
        "downloaded_at": export.downloaded_at.isoformat(),
        "downloaded_at_evidence": export.downloaded_at_evidence,
        "window": [first.isoformat(), last.isoformat()],
        "months": [month.isoformat() for month in lake.months_kept(export.months)],
        "reports": [member.report.name for member in export.members],
        "warnings": export.warnings,
    }
    content = f"{json.dumps(receipt, indent=2, ensure_ascii=False)}\n".encode()
    lake.write_bytes(lake.raw_folder("exports", account) / f"{export.export_id}{_OPEN}", content)


def close_receipts(lake: Lake, account: str, part: Slice) -> None:
    """Close the open receipts of ``account`` whose months all lie in ``part``, which has reached the warehouse."""
    months = {month.isoformat() for month in part.months}
    for path in files_in(lake.raw_folder("exports", account)):
        if path.name.endswith(_OPEN) and months.issuperset(json.loads(path.read_bytes())["months"]):
            lake.write_bytes(path.parent / path.name.replace(_OPEN, _CLOSED), path.read_bytes())
            lake.remove(path)
