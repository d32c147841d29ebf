from __future__ import annotations

import pytest

from stepbench.iam_grants import GRANTS, Role
from tests.policies.taken_away import TAKEN_AWAY

pytestmark = pytest.mark.infra


@pytest.mark.parametrize("role", TAKEN_AWAY)
def test_every_action_of_every_statement_is_taken_away_in_a_test(role: Role) -> None:
    granted = [(grant.sid, action) for grant in GRANTS[role] for action in grant.reasons]

    assert sorted(TAKEN_AWAY[role]) == sorted(granted)
