"""The result of a check: kept, or broken for which accounts and how. A run over many accounts records one for all.

Belongs here: the one form of a result, written and read. Does not belong here: what is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from tiktok_assets.partitions import PartitionRange

SHOWN = 20
_BROKEN_FOR = "broken_for"


def evaluation(
    name: str,
    partitions: PartitionRange | None,
    broken: Mapping[str, str],
    *,
    facts: Mapping[str, Any],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN,
) -> dg.AssetCheckResult:
    """The result of the check ``name`` on ``partitions``, kept unless it is ``broken``: by account, in a sentence.

    ``partitions``: None for a check of a whole table; ``facts``: more of its metadata.
    """
    by_sentence: dict[str, list[str]] = {}
    for account, sentence in broken.items():
        by_sentence.setdefault(sentence, []).append(account)
    listed = [{"sentence": sentence, "accounts": accounts} for sentence, accounts in by_sentence.items()]
    place = where(partitions) if partitions else {}
    return dg.AssetCheckResult(
        check_name=name,
        passed=not broken,
        severity=severity,
        description=_description(broken),
        metadata={**place, **facts, **({_BROKEN_FOR: dg.MetadataValue.json(listed)} if broken else {})},
    )


def broken_for(result: dg.AssetCheckEvaluation) -> dict[str, str]:
    """By account, the sentence that describes how a check is broken; empty if it is kept."""
    if result.passed:
        return {}
    listed: Any = result.metadata[_BROKEN_FOR].value
    return {account: group["sentence"] for group in listed for account in group["accounts"]}


def where(partitions: PartitionRange) -> dict[str, str]:
    """The partitions an evaluation is about."""
    more = f" and {len(partitions.accounts) - SHOWN} more" if len(partitions.accounts) > SHOWN else ""
    months = f"{partitions.months[0]:%Y-%m} to {partitions.months[-1]:%Y-%m}"
    return {"partitions": f"{', '.join(partitions.accounts[:SHOWN])}{more}: {months}"}


def _description(broken: Mapping[str, str]) -> str | None:
    """The sentence of the first account, with the names of all accounts if there are several."""
    if not broken:
        return None
    sentence, names = next(iter(broken.values())), list(broken)
    if len(names) == 1:
        return sentence
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{sentence} This concerns {', '.join(names[:SHOWN])}{more}."
