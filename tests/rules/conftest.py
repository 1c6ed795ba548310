"""A desk for each test."""

import pytest

from tests.rules.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
