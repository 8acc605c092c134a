from hypothesis import given
from hypothesis import strategies as st

from speciate.archive.ledger import ADVANCE, STRIDE, reward_of

scores = st.floats(-2, 2)


@given(leader=scores, gain=st.floats(1e-6, 1.0), parent=scores)
def test_a_record_earns_by_its_gain_and_never_more_than_one(leader: float, gain: float, parent: float) -> None:
    reward = reward_of(leader + gain, leader, parent)
    assert ADVANCE <= reward <= 1
    assert (reward == 1) == (leader + gain - leader >= STRIDE)
    assert reward_of(leader + 2 * gain, leader, parent) >= reward


@given(leader=scores, below=st.floats(0, 1), parent=scores)
def test_what_is_no_record_earns_only_where_it_is_better_than_its_parent(
    leader: float, below: float, parent: float
) -> None:
    score = leader - below
    assert reward_of(score, leader, parent) == (ADVANCE if score > parent else 0)
