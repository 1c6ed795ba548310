"""When a message is sent again, and when it is given up."""

import pytest

from shipledger.timestamp import MICROSECONDS_A_SECOND
from shipledger.webhook import RETRY_SECONDS, Attempt, MessageStatus, judge

HOUR = 3_600
DAY = 24 * HOUR
NOW = 10**15


def failed(**answer: int) -> Attempt:
    return Attempt(NOW, 5, status=answer.get("status"), retry_after_seconds=answer.get("retry_after"))


def wait(attempt: Attempt, attempts: int, chance: float = 0.0) -> float:
    verdict = judge(attempt, attempts, NOW, chance)
    assert verdict.status is MessageStatus.PENDING
    return (verdict.due_at - NOW) / MICROSECONDS_A_SECOND


def test_the_schedule_is_the_one_that_is_promised() -> None:
    waits = [wait(failed(status=500), attempts) for attempts in range(1, 10)]
    assert waits == [5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
    assert judge(failed(status=500), 10, NOW, 0.0).status is MessageStatus.DEAD
    assert sum(RETRY_SECONDS) > 3 * DAY, "a receiver that was down for three days gets everything"


def test_a_wait_is_longer_by_chance_and_never_shorter() -> None:
    waits = [wait(failed(), 2, chance) for chance in (0.0, 0.5, 1.0)]
    assert waits == sorted(waits)
    assert waits[0] == 300
    assert waits[-1] <= 331


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_2xx_is_taken(status: int) -> None:
    assert judge(failed(status=status), 1, NOW, 0.0).status is MessageStatus.SENT


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 503])
def test_anything_else_is_tried_again(status: int | None) -> None:
    assert wait(Attempt(NOW, 5, status), 1) == 5


@pytest.mark.parametrize(
    ("asked", "waited"), [(None, 5), (0, 5), (4, 5), (60, 60), (2 * HOUR, 2 * HOUR), (DAY, DAY), (9 * DAY, DAY)]
)
def test_a_receiver_may_ask_for_more_time_up_to_a_day(asked: int | None, waited: int) -> None:
    assert wait(Attempt(NOW, 5, 503, retry_after_seconds=asked), 1) == waited


def test_the_message_that_a_receiver_answers_with_gone_is_held() -> None:
    verdict = judge(failed(status=410), 10, NOW, 0.0)
    assert (verdict.status, verdict.due_at) == (MessageStatus.PENDING, NOW)
