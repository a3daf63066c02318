"""Messages sent to a real mail server and a real webhook, and what becomes of the secrets in their addresses."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.notices.delivery import NotDelivered, Recipient, deliver, inert, recipients
from tiktok_assets.notices.ledger import Message
from tiktok_assets.settings import Settings
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.notices.servers import SECRET, Mailbox, Webhook

MESSAGE = Message(
    id="1",
    subject="Week 2026-W48: 61,000 views — “ü”",
    text="@pig1987\n  61,000 views\n",
    html="<html><body><p>@pig1987</p><p>61,000 views &amp; more</p></body></html>",
)


def to(settings: Settings) -> list[Recipient]:
    found, unusable = recipients(settings)
    assert unusable == []
    for one in found:
        one.server.request_rate_per_sec = 0  # Apprise waits 4.5 s between two tries of a mail
    return found


def test_a_mail_has_the_subject_a_plain_text_and_html(install: Install, mailbox: Mailbox) -> None:
    (one,) = to(install("pig1987", notify=mailbox.url("boss@example.com")))
    deliver(MESSAGE, one)
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["To"]) == (MESSAGE.subject, "boss@example.com")
    assert mail["From"].addresses[0].addr_spec == "tiktok@example.com"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail.get_content_type() == "multipart/alternative" and plain and html
    assert plain.get_content().splitlines()[:2] == ["@pig1987", "61,000 views & more"]
    assert "<p>61,000 views &amp; more</p>" in html.get_content()


def test_a_webhook_gets_the_plain_text(install: Install, webhook: Webhook) -> None:
    (one,) = to(install("pig1987", notify=webhook.url))
    deliver(MESSAGE, one)
    (post,) = webhook.posts
    assert (post["title"], post["message"]) == (MESSAGE.subject, inert(MESSAGE.text).rstrip())


def test_each_address_of_a_mail_is_a_recipient_of_its_own(install: Install, mailbox: Mailbox) -> None:
    mailbox.refused = {"gone@example.com"}
    gone, there = to(install("pig1987", notify=mailbox.url("gone@example.com", "there@example.com")))
    with pytest.raises(NotDelivered, match="the mail server refused it with 550"):
        deliver(MESSAGE, gone)
    deliver(MESSAGE, there)
    assert [mail["To"] for mail in mailbox.mails] == ["there@example.com"]


def test_recipients_have_names_without_secrets(install: Install) -> None:
    slack = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    urls = [
        f"mailtos://me:{SECRET}@gmail.com?to=boss@example.com",
        slack,
        f"json://somebody:{SECRET}@hooks.example.com/{SECRET}?token={SECRET}&-key={SECRET}",
        slack.replace("FQ", "FR"),
        f"tgram://123456789:{SECRET.replace('-', '_')}/12315544",
        f"discord://4174216298/{SECRET}",
    ]
    found = to(install("pig1987", notify=", ".join(urls)))
    assert [one.name for one in found] == [
        "e-mail to boss@example.com",
        "Slack",
        "JSON at hooks.example.com",
        "Slack (2)",
        "Telegram",
        "Discord",
    ]
    assert SECRET not in repr(found)


def test_an_address_that_is_none_is_named_by_its_place_and_the_others_are_used(install: Install) -> None:
    found, unusable = recipients(install("pig1987", notify=f"slack://{SECRET} json://127.0.0.1 nobody://{SECRET}"))
    assert [one.name for one in found] == ["JSON at 127.0.0.1"]
    assert [text.split(" cannot")[0] for text in unusable] == [
        "TIKTOK_NOTIFY: entry 1 (slack://...)",
        "TIKTOK_NOTIFY: entry 3 (nobody://...)",
    ]
    assert SECRET not in "".join(unusable)


@pytest.mark.parametrize(
    "url",
    [
        f"mailto://user:{SECRET}：x@gmail.com",
        f"mailto://user:pa[ss{SECRET}@gmail.com",
        f"json://user:{SECRET}]@hooks.example.com/x",
        f"json://[{SECRET}/hook",
        f"mailto://user:{SECRET}@gmail.com/not-an-address",
    ],
)
def test_an_address_that_cannot_be_read_or_names_nobody_is_said_and_not_shown(
    install: Install, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    caplog.set_level(logging.DEBUG)
    found, unusable = recipients(install("pig1987", notify=f"json://127.0.0.1 {url}"))
    assert [one.name for one in found] == ["JSON at 127.0.0.1"]
    (said,) = unusable
    assert said.startswith(f"TIKTOK_NOTIFY: entry 2 ({url.partition(':')[0]}://...) cannot be used: ")
    assert SECRET not in said + caplog.text


def test_without_the_setting_there_is_nobody(settings: Settings) -> None:
    assert recipients(settings) == ([], [])


def test_a_reason_and_the_logs_contain_no_secret(
    install: Install, webhook: Webhook, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    webhook.status = 503
    mailbox.refused = {"gone@example.com"}
    dead = f"json://127.0.0.1:9/{SECRET} mailto://me:{SECRET}@127.0.0.1:9?from=a@example.com&to=b@example.com"
    reasons = []
    for one in to(install("pig1987", notify=f"{webhook.url} {mailbox.url('gone@example.com')} {dead}")):
        with pytest.raises(NotDelivered) as failure:
            deliver(MESSAGE, one)
        reasons.append(failure.value.description)
    assert reasons == [
        "the service answered 503 Service Unavailable",
        "the mail server refused it with 550",
        "no connection (Connection refused)",
        "no connection (Connection refused)",
    ]
    assert webhook.tries == 2  # a second try at once
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert SECRET not in logged and "apprise" not in {record.name for record in caplog.records}
    logging.getLogger("urllib3").warning("heard again")
    assert "heard again" in caplog.text


def test_a_bug_of_a_plugin_is_a_message_that_was_not_delivered(
    install: Install, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise

    def broken(*_: object, **__: object) -> bool:
        raise KeyError(SECRET)

    monkeypatch.setattr(apprise.Apprise, "notify", broken)
    with pytest.raises(NotDelivered, match="Apprise failed with KeyError") as failure:
        deliver(MESSAGE, *to(install("pig1987", notify=webhook.url)))
    assert failure.value.__suppress_context__


@given(st.text("@<>[]()ab !"))
def test_no_chat_finds_a_mention_or_a_hidden_link(text: str) -> None:
    shown = inert(text)
    assert shown.replace("\u200b", "") == text
    assert not any(f"{sign}{other}" in shown for sign in "@<" for other in "@<>[]()ab! ")
    assert "](" not in shown


def test_the_link_of_a_line_stays_whole_and_a_strangers_words_never_do() -> None:
    link = "https://www.tiktok.com/@pig.1987/video/7578587779678682003"
    assert inert(f"@pig\n  Look at it: {link}\n  More") == f"@\u200bpig\n  Look at it: {link}\n  More"
    for words in (f"“see: {link}”, 7 views", link.replace("pig.1987", "everyone"), "a: https://example.com/@here"):
        assert "@\u200b" in inert(f"  Viral: {words}")


@pytest.mark.parametrize("value", ["", "  ", "me@example.com", "json://", f"json://a {SECRET}"])
def test_what_is_no_list_of_addresses_is_refused_and_not_shown(install: Install, value: str) -> None:
    with pytest.raises(ValueError) as refused:
        install("pig1987", notify=value)
    assert "each entry begins with the name of a service" in str(refused.value)
