"""What `verify` says where the lake lies in other storage and several machines use it."""

from __future__ import annotations

from tiktok_assets.accounts import load_roster
from tiktok_assets.graph import warehouse_of
from tiktok_assets.inbox.verify import verify
from tiktok_assets.settings import Settings
from tiktok_assets.storage import objects
from tiktok_assets.storage.lake import Lake


def test_what_is_damaged_is_named_by_its_address_and_not_by_the_copy_that_was_looked_at(remote: Settings) -> None:
    assert verify(Lake(remote), load_roster(remote), warehouse_of(remote)) == []
    objects.write(remote.warehouse, b"damaged")
    objects.write(remote.previous_lake / "complete", b"a rebuild")
    rebuild, warehouse = verify(Lake(remote), load_roster(remote), warehouse_of(remote))
    assert (warehouse.place, warehouse.problem[:16]) == (str(remote.warehouse), "cannot be opened")
    assert (rebuild.place, rebuild.problem) == (str(remote.previous_lake), "a rebuild has not ended")
    assert "`tiktok-assets rebuild` on any machine" in (rebuild.remedy or "")
