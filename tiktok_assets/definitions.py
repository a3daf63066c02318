"""The code location that Dagster loads. Nothing connects, reads secrets or touches the network at import."""

from __future__ import annotations

from tiktok_assets.graph import build_definitions
from tiktok_assets.settings import load_settings

defs = build_definitions(load_settings())
