"""Accounts: which are in use, how a name is resolved, and how the file is edited without losing what people wrote."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tiktok_assets.accounts import (
    Account,
    InvalidAccounts,
    NoAccounts,
    Roster,
    UnknownName,
    add_account,
    load_roster,
    remove_account,
)
from tiktok_assets.settings import Settings

LABEL = """\
# The label's accounts.

[accounts.pig1987]  # the first one
handle = "pig1987"
timezone = "Asia/Bangkok"

# Its handle has a dot.
[accounts.zonea0]
handle = "zone.a0"
competitors = [
    "@other.band",  # rivals
]

# Kept manually.
[accounts.third]
default_date_range = 60
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.toml"
    path.write_text(LABEL)
    return path


def roster(path: Path, *in_use: str) -> Roster:
    return load_roster(Settings(accounts_file=path, accounts=in_use))


def refusal(path: Path, text: str) -> str:
    """What a person reads when the file says ``text``; always names the file."""
    path.write_text(text)
    with pytest.raises(InvalidAccounts) as caught:
        roster(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_every_account_of_the_file_is_in_use_unless_some_are_named(path: Path) -> None:
    assert tuple(roster(path)) == ("pig1987", "zonea0", "third")
    assert tuple(roster(path, "zonea0")) == ("zonea0",)


def test_of_all_accounts_those_of_some_clients_are_in_use(path: Path) -> None:
    clients = {"a": "Blue", "b": "Red", "c": "blue", "d": "Verve"}
    path.write_text("[accounts.e]\n" + "".join(f'[accounts.{key}]\nclient = "{one}"\n' for key, one in clients.items()))

    def of(*clients: str, accounts: tuple[str, ...] = ()) -> tuple[str, ...]:
        return tuple(load_roster(Settings(accounts_file=path, accounts=accounts, clients=clients)))

    assert of("Verve", "Blue") == ("a", "c", "d"), "in the order of the file, whatever the case"
    assert of("Blue", accounts=("b", "c", "new")) == ("c",)
    with pytest.raises(InvalidAccounts, match=r"TIKTOK_CLIENTS=Blue,Bleu: No account has the client Bleu. There are: "):
        of("Blue", "Bleu")


def test_an_entry_is_read_with_its_defaults(path: Path) -> None:
    accounts = roster(path)
    assert accounts["pig1987"] == Account(key="pig1987", handle="pig1987", timezone="Asia/Bangkok")
    assert accounts["zonea0"] == Account(key="zonea0", handle="zone.a0", competitors=("other.band",))
    assert accounts["third"] == Account(key="third", handle="third", default_date_range=60)


def test_a_name_without_an_entry_gets_defaults(path: Path) -> None:
    assert roster(path, "pig1987", "@new.band")["new.band"] == Account(key="new.band", handle="new.band")


def test_an_account_in_use_may_be_named_by_its_handle_and_counts_once(path: Path) -> None:
    assert tuple(roster(path, "@Zone.A0", "zonea0")) == ("zonea0",)


def test_a_name_in_use_that_cannot_be_a_folder_is_refused(path: Path) -> None:
    with pytest.raises(InvalidAccounts, match=r"TIKTOK_ACCOUNTS: account '\.\./x'.*becomes a folder"):
        roster(path, "../x")


@pytest.mark.parametrize("name", ["zone.a0", "@zone.a0", "Zone.A0", "zonea0", "ZONEA0", " zonea0 "])
def test_a_handle_or_a_key_leads_to_the_account(path: Path, name: str) -> None:
    found = roster(path).resolve(name)
    assert found is not None
    assert found.key == "zonea0"


def test_an_unknown_name_leads_to_no_account(path: Path) -> None:
    assert roster(path).resolve("unknown") is None


OF_CLIENTS = Roster(
    [
        Account(key="pig1987", handle="pig.band", client="Blue Note", owner="Ana"),
        Account(key="zonea0", handle="zone.a0", client="Blue Note", owner="Bo"),
        Account(key="zero", handle="zero", owner="Ana"),
    ]
)


@pytest.mark.parametrize(
    ("names", "client", "owner", "expected"),
    [
        ([], None, None, ["pig1987", "zonea0", "zero"]),
        (["z*"], None, None, ["zonea0", "zero"]),
        (["@PIG.*"], None, None, ["pig1987"]),
        (["zero", "z*"], None, None, ["zero", "zonea0"]),
        (["z?ro"], None, None, ["zero"]),
        ([], "blue note", None, ["pig1987", "zonea0"]),
        ([], "Blue Note", "Ana", ["pig1987"]),
        (["zero"], None, "ana", ["zero"]),
    ],
)
def test_accounts_are_chosen_by_name_pattern_client_and_owner(
    names: list[str], client: str | None, owner: str | None, expected: list[str]
) -> None:
    assert [account.key for account in OF_CLIENTS.chosen(names, client, owner)] == expected


@pytest.mark.parametrize(
    ("names", "client", "sentence"),
    [
        (["pig1987", "x*", "y"], None, "No account is called x*, y. There are: pig1987, zonea0, zero."),
        ([], "Verve", "No account has the client Verve. There are: Blue Note."),
        (["zero"], "Blue Note", "None of zero has the client Blue Note."),
    ],
)
def test_what_fits_no_account_is_refused_with_what_there_is(
    names: list[str], client: str | None, sentence: str
) -> None:
    with pytest.raises(UnknownName, match=re.escape(sentence)):
        OF_CLIENTS.chosen(names, client)


def test_exports_under_a_previous_handle_are_the_accounts_own() -> None:
    renamed = Account(key="mara", handle="mara.lind", previous_handles=("mara_l",))
    roster = Roster([renamed, Account(key="b", handle="b")])
    assert roster.resolve("@Mara_L") is renamed


@pytest.mark.parametrize(
    "other",
    [
        Account(key="mara.lind", handle="other"),
        Account(key="other", handle="MARA"),
        Account(key="other", handle="other", previous_handles=("mara.lind",)),
    ],
)
def test_a_name_of_two_accounts_is_refused(other: Account) -> None:
    mara = Account(key="mara", handle="mara.lind")
    for both in ([mara, other], [other, mara]):
        with pytest.raises(InvalidAccounts, match="same name or handle 'mara"):
            Roster(both)


@pytest.mark.parametrize("key", ["a" * 65, "con", "Nul.txt", "band.", ".", "a/b", "a..b", ""])
def test_a_name_that_cannot_be_a_folder_everywhere_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidAccounts, match="A name is at most 64 letters"):
        add_account(tmp_path / "accounts.toml", key, handle="band")


def test_without_a_file_the_roster_is_empty_and_an_operation_on_accounts_fails(tmp_path: Path) -> None:
    nobody = roster(tmp_path / "accounts.toml")
    assert not nobody
    with pytest.raises(NoAccounts, match=r"accounts\.toml \(which does not exist\).*accounts add.*TIKTOK_ACCOUNTS"):
        nobody.partition_keys()


def test_a_name_that_the_file_does_not_have_is_reported_with_the_nearest_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert tuple(roster(path, "pig1978", "zone.a0", "unheard")) == ("pig1978", "zonea0", "unheard")
    mistyped, new = [record.getMessage() for record in caplog.records]
    assert "has no account pig1978; it is used as a new one" in mistyped
    assert mistyped.endswith("Did you mean pig1987?")
    assert new.endswith("has no account unheard; it is used as a new one with that handle.")


def test_a_configured_file_that_is_missing_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert roster(tmp_path / "acounts.toml", "pig1987").partition_keys() == ("pig1987",)
    assert "acounts.toml does not exist" in caplog.text


def test_a_file_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidAccounts, match="cannot be read"):
        roster(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[accounts.a\n", ["not TOML", "line 1"]),
        ("[account.a]\n", ["'account'", "[accounts.<name>]"]),
        ("accounts = 3\n", ["'accounts'", "[accounts.<name>]"]),
        ("[accounts]\na = 'b'\n", ["account 'a'", "[accounts.a]"]),
        ('[accounts."a|b"]\n', ["account 'a|b'", "letters, digits"]),
        ('[accounts.".."]\n', ["account '..'", "letters, digits"]),
        ('[accounts."a...b"]\n', ["account 'a...b'", "without '..'"]),
        ('[accounts.""]\n', ["account ''", "letters, digits"]),
        ("[accounts.zone.a0]\nhandle = 'zone.a0'\n", ["account 'zone'", '[accounts."zone.a0"]']),
        (
            "[accounts.a]\nhandel = 'a'\n",
            ["handel = 'a'", "handle, previous_handles, business_id, timezone"],
        ),
        ("[accounts.a]\nhandle = 5\n", ["account 'a'", "handle = 5", "in quotes"]),
        ("[accounts.a]\nhandle = 'a b'\n", ["handle = 'a b'", "letters, digits"]),
        ("[accounts.a]\nbusiness_id = 5\n", ["business_id = 5", "in quotes"]),
        ("[accounts.a]\ntimezone = 'Athens'\n", ["timezone = 'Athens'", "Europe/Athens"]),
        ("[accounts.a]\ntimezone = '/etc/passwd'\n", ["timezone", "IANA"]),
        ("[accounts.a]\negress = 'none'\n", ["egress = 'none'", 'not "none"']),
        ("[accounts.a]\ndefault_date_range = 6\n", ["default_date_range = 6", "7 to 365"]),
        ("[accounts.a]\ndefault_date_range = true\n", ["default_date_range = True", "7 to 365"]),
        ("[accounts.a]\ncompetitors = 'b'\n", ["competitors = 'b'", "a list of handles"]),
        ("[accounts.a]\ncompetitors = ['b c']\n", ["competitors = ['b c']", "a list of handles"]),
        ("[accounts.a]\n[accounts.A]\n", ["'a' and 'A'", "same name or handle 'a'"]),
        ("[accounts.a]\nhandle='x.y'\n[accounts.b]\nhandle='@X.y'\n", ["'a' and 'b'", "same name or handle 'x.y'"]),
    ],
)
def test_invalid_entries_are_refused_with_their_place_and_the_remedy(
    tmp_path: Path, text: str, says: list[str]
) -> None:
    message = refusal(tmp_path / "accounts.toml", text)
    assert [part for part in says if part not in message] == []


def test_adding_an_account_keeps_the_existing_text(path: Path) -> None:
    added = add_account(path, "new.band", handle="@New.Band", timezone="Europe/Athens", business_id=None)
    assert path.read_text() == LABEL + '\n[accounts."new.band"]\nhandle = "New.Band"\ntimezone = "Europe/Athens"\n'
    assert roster(path)["new.band"] == added


def test_every_field_that_is_added_is_read_back(path: Path) -> None:
    fields = {"handle": "h", "business_id": "7", "timezone": "UTC", "default_date_range": 90, "competitors": ("b", "c")}
    fields |= {"client": "Blue Note", "owner": "Ana", "egress": "lisbon"}
    assert add_account(path, "k", **fields) == roster(path)["k"] == Account(key="k", **fields)


@pytest.mark.parametrize("text", [None, "", "# Nobody yet.\n", "[accounts]\n"])
def test_the_first_account_can_be_added(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "new" / "accounts.toml"
    if text is not None:
        path.parent.mkdir()
        path.write_text(text)
    add_account(path, "pig1987")
    assert roster(path)["pig1987"].handle == "pig1987"
    assert path.read_text().startswith(text or "[accounts.pig1987]")


@pytest.mark.parametrize(
    ("key", "fields", "says"),
    [
        ("pig1987", {}, "'pig1987' is taken by account 'pig1987'"),
        ("PIG1987", {}, "'PIG1987' is taken by account 'pig1987'"),
        ("newcomer", {"handle": "zone.a0"}, r"'zone.a0' is taken by account 'zonea0' \(handle 'zone.a0'\)"),
        ("newcomer", {"timezone": "Mars"}, "timezone = 'Mars' cannot be used"),
        ("newcomer", {"follower": 3}, "no such field"),
        ("a/b", {}, "becomes a folder"),
    ],
)
def test_an_account_that_cannot_be_added_leaves_the_file_untouched(
    path: Path, key: str, fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidAccounts, match=says):
        add_account(path, key, **fields)
    assert path.read_text() == LABEL


def test_removing_an_account_takes_its_own_comment_and_nothing_else(path: Path) -> None:
    assert remove_account(path, "zonea0").handle == "zone.a0"
    start, end = LABEL.index("# Its handle"), LABEL.index("# Kept manually")
    assert path.read_text() == LABEL[:start] + LABEL[end:]


@pytest.mark.parametrize("key", ["pig1987", "third"])
def test_the_first_and_the_last_account_can_be_removed(path: Path, key: str) -> None:
    remove_account(path, key)
    assert tuple(roster(path)) == tuple(name for name in ("pig1987", "zonea0", "third") if name != key)
    assert path.read_text().startswith("# The label's accounts.\n")


def test_all_accounts_can_be_removed_and_added_again(path: Path) -> None:
    for key in roster(path):
        remove_account(path, key)
    assert not roster(path)
    add_account(path, "again")
    assert tuple(roster(path)) == ("again",)


def test_an_account_written_on_one_line_can_be_removed(path: Path) -> None:
    path.write_text('[accounts]\na = { handle = "a" }\nb = { handle = "bb" }\n')
    remove_account(path, "a")
    assert roster(path) == {"b": Account(key="b", handle="bb")}


def test_an_unknown_account_cannot_be_removed(path: Path) -> None:
    with pytest.raises(InvalidAccounts, match=r"no account 'unknown'.*Known: pig1987, zonea0, third"):
        remove_account(path, "unknown")
    with pytest.raises(InvalidAccounts, match="Known: none"):
        remove_account(path.with_name("none.toml"), "unknown")


def test_an_interrupted_write_leaves_the_old_file_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        add_account(path, "newcomer")
    assert path.read_text() == LABEL
    assert list(path.parent.iterdir()) == [path]


def test_an_edit_keeps_the_mode_and_follows_a_link(path: Path) -> None:
    path.chmod(0o640)
    link = path.with_name("link.toml")
    link.symlink_to(path)
    add_account(link, "newcomer")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert "newcomer" in path.read_text()
