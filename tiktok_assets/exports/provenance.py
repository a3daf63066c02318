"""Where a raw row comes from: the columns beside the text of every row in the raw layer."""

from __future__ import annotations

import polars as pl

# Bump when the reading of files changes (text, rows, day labels, years); raw then keeps both readings.
READER_VERSION = "4"

UTC_TIME = pl.Datetime("us", "UTC")

PROVENANCE: dict[str, pl.DataType] = {
    "account": pl.String(),
    "export_id": pl.String(),  # sha256 of the landed file
    "source": pl.String(),  # its path below the account's folder in landing or archive
    "member": pl.String(),  # the table inside it
    "row_number": pl.UInt32(),  # 1 is the first row below the header
    "date_label": pl.Date(),  # the day the row's label names, with its year; for snapshots the day of the download
    "downloaded_at": UTC_TIME,
    "downloaded_at_evidence": pl.String(),
    "vintage": UTC_TIME,  # what orders exports, by the best evidence
    "vintage_evidence": pl.String(),
    "window_first": pl.Date(),
    "window_last": pl.Date(),
    "year_evidence": pl.String(),
    "locale": pl.String(),
    "product": pl.String(),  # "studio" or "business_suite"
    "variant": pl.String(),  # the known header that this file's header is nearest to
    "parser_version": pl.String(),
}
