"""The wheel: installed where no checkout is, a folder made by ``tiktok-assets init`` works as the checkout does."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.e2e
