"""One proposal goes on at a time, in the order of arrival, and none keeps the others from it for good."""

import asyncio
import contextlib

import pytest

from speciate.agents.llm.turns import Turns


def test_steps_of_one_proposal_are_not_mixed_with_those_of_another():
    async def main():
        turns, seen = Turns(), []

        async def proposal(number):
            async with turns.one():
                for step in range(3):
                    seen.append((number, step))
                    await asyncio.sleep(0)

        await asyncio.gather(*map(proposal, range(4)))
        return seen

    assert asyncio.run(main()) == [(number, step) for number in range(4) for step in range(3)]


def test_others_go_on_while_one_waits_and_it_goes_on_after_them():
    async def main():
        turns, seen, replied = Turns(), [], asyncio.Event()

        async def waits():
            async with turns.one() as turn:
                async with turn.given():
                    await replied.wait()
                seen.append("waited")

        async def other():
            async with turns.one():
                replied.set()
                await asyncio.sleep(0)
                seen.append("other")

        await asyncio.gather(waits(), other())
        return seen

    assert asyncio.run(main()) == ["other", "waited"]


@pytest.mark.parametrize("waiting_for", ["reply", "turn"])
def test_a_proposal_that_is_cancelled_leaves_the_turn_to_others(waiting_for):
    async def main():
        turns, replied = Turns(), asyncio.Event()

        async def waits():
            async with turns.one() as turn, turn.given():
                await replied.wait()

        given_up = asyncio.create_task(waits())
        await asyncio.sleep(0)
        if waiting_for == "turn":
            async with turns.one():
                replied.set()
                await asyncio.sleep(0)
                given_up.cancel()
        else:
            given_up.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await given_up
        for _ in range(2):
            async with asyncio.timeout(1), turns.one():
                pass
        return given_up.cancelled()

    assert asyncio.run(main())


def test_an_error_while_waiting_ends_the_proposal_and_leaves_the_turn_to_others():
    async def main():
        turns = Turns()
        with pytest.raises(ConnectionError):
            async with turns.one() as turn, turn.given():
                raise ConnectionError
        async with asyncio.timeout(1), turns.one():
            return True

    assert asyncio.run(main())
