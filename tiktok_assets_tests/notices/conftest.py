"""Servers that receive messages, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tiktok_assets_tests.notices.servers import Mailbox, Webhook, mail_server, web_server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with web_server() as hook:
        yield hook
