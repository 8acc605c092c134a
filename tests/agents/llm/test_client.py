"""One call at an endpoint, which behaves as endpoints do."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.agents import Cost, Desk, NoProposal, ProposerFailed
from speciate.agents.llm.assembly import ChatTransport
from speciate.agents.llm.calls import Calls
from speciate.agents.llm.client import ChatClient
from speciate.agents.llm.cost import Message, Purse, dearest
from speciate.agents.llm.settings import ModelSettings
from speciate.archive import Event, Replied

from .endpoint import Endpoint, Reply

ASKED = (Message("system", "Be brief."), Message("user", "Why?"))
RICH = Cost(tokens=10**9, usd=1e6)


class Notes:
    """A desk that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def desk(self, **options: Any) -> Desk:
        async def nothing(*about: object) -> None:
            return None

        return Desk(Path(), self.events.append, lambda files: [], nothing, nothing, **options)

    @property
    def replies(self) -> list[Replied]:
        return [event for event in self.events if isinstance(event, Replied)]


def settings(endpoint: Endpoint, **options: Any) -> ModelSettings:
    values: dict[str, Any] = {"base_url": endpoint.url, "api_key_env": None, "input_price": 2.0, "output_price": 8.0}
    return ModelSettings(**(values | options))


def ask(
    model: ModelSettings,
    notes: Notes | None = None,
    purse: Purse | None = None,
    tries: int = 4,
    indices: tuple[int, ...] = (0,),
    **desk: Any,
) -> list[Replied]:
    async def once() -> list[Replied]:
        transport = ChatTransport(ChatClient("scripted", model))
        calls = Calls({"scripted": transport}, (notes or Notes()).desk(**desk), tries, backoff_seconds=0.05)
        try:
            wallet = purse or Purse(RICH)
            return [await calls.ask("scripted", ASKED, wallet, index, 0) for index in indices]
        finally:
            await calls.close()

    return asyncio.run(once())


def sequence(*replies: Reply) -> Callable[[list[dict[str, str]], int], Reply]:
    return lambda messages, number: replies[min(number, len(replies) - 1)]


@pytest.mark.parametrize("stream", [True, False])
def test_a_reply_is_read_whole_and_priced(stream: bool, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(sequence(Reply("Because. " * 30, reasoning="hm")))
    notes, purse = Notes(), Purse(RICH)
    (reply,) = ask(settings(endpoint, stream=stream), notes, purse)
    assert reply.text == "Because. " * 30
    assert reply.reasoning == "hm"
    assert (reply.finish, reply.prompt_tokens, reply.output_tokens) == ("stop", 100, 50)
    assert reply.usd == pytest.approx(100 * 2e-6 + 50 * 8e-6)
    assert not reply.estimated
    assert notes.replies == [reply]
    assert purse.spent == Cost(tokens=150, usd=reply.usd)
    sent = endpoint.requests[0]
    assert sent["messages"] == [{"role": one.role, "content": one.content} for one in ASKED]
    assert sent["max_tokens"] == 8192
    assert "temperature" not in sent


def test_a_reasoning_model_gets_the_parameters_that_it_takes(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(sequence(Reply("Yes")))
    ask(settings(endpoint, reasoning=True, reasoning_effort="low", max_output_tokens=77, extra_body={"top_k": 5}))
    sent = endpoint.requests[0]
    assert (sent["max_completion_tokens"], sent["reasoning_effort"], sent["top_k"]) == (77, "low", 5)
    assert "max_tokens" not in sent


@pytest.mark.parametrize("stream", [True, False])
def test_tokens_that_the_endpoint_does_not_count_are_estimated_and_said_to_be(
    stream: bool, serve: Callable[..., Endpoint]
) -> None:
    endpoint = serve(sequence(Reply("x" * 300, usage=None)))
    (reply,) = ask(settings(endpoint, stream=stream))
    assert reply.estimated
    assert reply.output_tokens == 100
    assert reply.usd is not None
    assert reply.usd > 0


def test_an_unknown_price_is_none_and_not_nothing(serve: Callable[..., Endpoint]) -> None:
    purse = Purse(RICH)
    (reply,) = ask(settings(serve(sequence(Reply("Yes"))), input_price=None), purse=purse)
    assert reply.usd is None
    assert purse.spent == Cost(tokens=150, usd=None)


BAD = [
    Reply("busy", status=429, headers={"retry-after": "0"}),
    Reply("down", status=500),
    Reply("down", status=503),
    Reply(raw=b"<html>gateway</html>"),
    Reply(raw=b'{"id": "1", "choi'),
    Reply("cut off here", cut=5),
    Reply("no end", finish=None),
    Reply(choices=False),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.status} {bad.raw or bad.text}")
def test_a_try_that_fails_is_followed_by_another(bad: Reply, stream: bool, serve: Callable[..., Endpoint]) -> None:
    if not stream and (bad.cut is not None or bad.finish is None):
        pytest.skip("only streams end early")
    endpoint, notes = serve(sequence(bad, Reply("Yes"))), Notes()
    (reply,) = ask(settings(endpoint, stream=stream), notes)
    assert (reply.text, reply.tries, len(endpoint.requests)) == ("Yes", 2, 2)
    broken = [one for one in notes.replies if one.finish == "broken"]
    assert all(one.error for one in broken)
    if bad.cut:
        assert [(one.text, one.estimated) for one in broken] == [("cut o", True)]


def test_a_silent_endpoint_is_given_up_and_asked_again(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(sequence(Reply("late", silent=3), Reply("Yes")))
    (reply,) = ask(settings(endpoint, silence_seconds=0.3))
    assert reply.text == "Yes"
    endpoint = serve(sequence(Reply("slow " * 200, pause=0.1), Reply("Yes")))
    (reply,) = ask(settings(endpoint, timeout_seconds=0.6))
    assert reply.text == "Yes"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form: str, serve: Callable[..., Endpoint]) -> None:
    said = "1.2" if form == "seconds" else email.utils.formatdate(time.time() + 2.5, usegmt=True)
    endpoint = serve(sequence(Reply("busy", status=429, headers={"retry-after": said}), Reply("Yes")))
    ask(settings(endpoint))
    assert endpoint.at[1] - endpoint.at[0] >= 1.2


def test_an_endpoint_that_never_answers_ends_the_proposer(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(sequence(Reply("down", status=500)))
    with pytest.raises(ProposerFailed, match="no answer in 3 tries: status 500"):
        ask(settings(endpoint), tries=3)
    assert len(endpoint.requests) == 3


def test_a_single_prompt_that_fails_where_others_are_answered_costs_one_proposal(
    serve: Callable[..., Endpoint],
) -> None:
    def script(messages: list[dict[str, str]], number: int) -> Reply:
        return Reply("no", status=500) if messages[-1]["content"] == "Why?" else Reply("Yes")

    endpoint = serve(script)

    async def both() -> tuple[object, object]:
        transport = ChatTransport(ChatClient("scripted", settings(endpoint)))
        calls = Calls({"scripted": transport}, Notes().desk(), 3, backoff_seconds=1.0)
        failing = asyncio.create_task(calls.ask("scripted", ASKED, Purse(RICH), 0, 0))
        while len(endpoint.requests) < 2:  # its first try has failed
            await asyncio.sleep(0.05)
        answered = await calls.ask("scripted", [Message("user", "How?")], Purse(RICH), 1, 0)
        failed = (await asyncio.gather(failing, return_exceptions=True))[0]
        await calls.close()
        return failed, answered

    failed, answered = asyncio.run(both())
    assert isinstance(failed, NoProposal)
    assert isinstance(answered, Replied)


@pytest.mark.parametrize(("status", "words"), [(401, "refuses"), (403, "refuses"), (404, "has no model 'scripted'")])
def test_what_no_other_try_can_change_ends_at_once(status: int, words: str, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(sequence(Reply("no", status=status)))
    with pytest.raises(ProposerFailed, match=words):
        ask(settings(endpoint))
    assert len(endpoint.requests) == 1


def test_requests_refused_again_and_again_end_the_proposer(serve: Callable[..., Endpoint]) -> None:
    endpoint, notes = serve(sequence(Reply("unknown parameter: top_p", status=400))), Notes()
    transport = ChatTransport(ChatClient("scripted", settings(endpoint)))

    async def thrice() -> list[type]:
        calls = Calls({"scripted": transport}, notes.desk(), 4, backoff_seconds=0.05)
        ended = [
            await asyncio.gather(calls.ask("scripted", ASKED, Purse(RICH), index, 0), return_exceptions=True)
            for index in range(3)
        ]
        await calls.close()
        return [type(one[0]) for one in ended]

    assert asyncio.run(thrice()) == [NoProposal, NoProposal, ProposerFailed]


def test_the_key_is_sent_and_never_written_down(
    serve: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    endpoint, notes = serve(sequence(Reply("Your key is sk-very-secret."))), Notes()
    (reply,) = ask(settings(endpoint, api_key_env="MY_KEY"), notes)
    assert endpoint.keys == ["Bearer sk-very-secret"]
    assert reply.text == "Your key is [key]."
    refusing = serve(sequence(Reply("never")), key="another")
    with pytest.raises(ProposerFailed) as refused:
        ask(settings(refusing, api_key_env="MY_KEY"), notes)
    assert "sk-very-secret" not in str(refused.value)
    assert "MY_KEY" in str(refused.value)
    assert "sk-very-secret" not in "".join(event.model_dump_json() for event in notes.events)


def test_a_call_that_may_cost_more_than_is_left_is_not_made(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(sequence(Reply("Yes")))
    model = settings(endpoint)
    most = dearest(model, ASKED)
    assert most.usd is not None
    with pytest.raises(NoProposal, match="reserved"):
        ask(model, purse=Purse(Cost(tokens=10**6, usd=most.usd * 0.99)))
    with pytest.raises(NoProposal, match="reserved"):
        ask(model, purse=Purse(Cost(tokens=most.tokens - 1, usd=1.0)))
    with pytest.raises(NoProposal, match="max_usd_per_call"):
        ask(model, purse=Purse(RICH, most_usd_per_call=most.usd / 2))
    assert endpoint.requests == []
    ask(model, purse=Purse(most))
    assert len(endpoint.requests) == 1


def test_the_journal_is_the_cache(serve: Callable[..., Endpoint]) -> None:
    endpoint, notes = serve(sequence(Reply("Yes", cut=2), Reply("Yes"), Reply("Yes again"))), Notes()
    ask(settings(endpoint), notes)
    kept = {notes.replies[0].prompt_hash: notes.replies}
    again, purse = Notes(), Purse(RICH)
    (reply,) = ask(settings(endpoint), again, purse, replies=kept)
    assert (reply.text, len(endpoint.requests), again.events) == ("Yes", 2, [])
    assert purse.spent.tokens == sum(one.tokens for one in notes.replies)
    (replayed,) = ask(settings(endpoint), again, replayed=kept)
    assert (replayed.text, len(endpoint.requests)) == ("Yes", 2)
    assert again.replies == notes.replies
    (other,) = ask(settings(endpoint), again, replies=kept, indices=(1,))
    assert (other.text, len(endpoint.requests)) == ("Yes again", 3)
    with pytest.raises(ProposerFailed, match="replayed run has no reply"):
        ask(settings(endpoint), again, replayed=kept, indices=(2,))


def test_a_call_that_is_given_up_is_still_waited_for_and_recorded(serve: Callable[..., Endpoint]) -> None:
    endpoint, notes = serve(sequence(Reply("Paid for.", silent=0.6))), Notes()

    async def given_up() -> None:
        transport = ChatTransport(ChatClient("scripted", settings(endpoint)))
        calls = Calls({"scripted": transport}, notes.desk(), 1, backoff_seconds=0.05)
        task = asyncio.create_task(calls.ask("scripted", ASKED, Purse(RICH), 0, 0))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert notes.events == []
        await calls.close()

    asyncio.run(given_up())
    assert [reply.text for reply in notes.replies] == ["Paid for."]
