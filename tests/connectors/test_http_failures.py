"""Failures in time: what is tried again and when, what is in doubt, what is cut short."""

from __future__ import annotations

import asyncio

import pytest
from loopback import SECRET, Impatient, Received, client, get, post, raw_server, reply, scripted

from syncd.connectors.answer import Answer, Problem, problem
from syncd.connectors.http import EARLY, WIDER, Request
from syncd.connectors.retry import Budget, Malformed
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable

pytestmark = pytest.mark.anyio


def body(answer: Answer) -> bytes:
    return answer.body


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_server_error_is_tried_again_only_where_that_is_harmless(status: int) -> None:
    for request, sent in (
        (get(), 2),
        (post(reads=True), 2),
        (post(repeatable=True), 2),
        (Request("DELETE", "/x", "DELETE", repeatable=True), 2),
    ):
        async with scripted(reply(status=status), reply(b'"ok"')) as server, client(server.url) as http:
            assert await http.send(request, body) == b'"ok"'
        assert len(server.received) == sent
    async with scripted(reply({"message": "broken"}, status), reply()) as server, client(server.url) as http:
        with pytest.raises(InDoubt, match=f"{status} broken; it may or may not have taken effect"):
            await http.send(post(), body)
    assert len(server.received) == 1


async def test_patience_ends_with_the_budgets_tries_and_seconds() -> None:
    environment = Impatient()
    async with scripted(reply(status=503)) as server, client(server.url, environment=environment, budget=Budget(tries=4)) as http:
        with pytest.raises(Retryable, match="503"):
            await http.send(get(), body)
    assert len(server.received) == 4
    assert len(environment.slept) == 3
    for n, seconds in enumerate(environment.slept):
        assert 0.25 * 2**n <= seconds <= 0.5 * 2**n
    async with scripted(reply(status=503, retry_after="50")) as server, client(server.url, budget=Budget(tries=9, seconds=120)) as http:
        with pytest.raises(Retryable) as caught:
            await http.send(get(), body)
    assert len(server.received) == 3
    assert caught.value.after == 50


async def test_a_write_that_was_tried_again_in_vain_may_have_taken_effect_and_a_read_changed_nothing() -> None:
    for last in (reply(status=503), reply(status=429)):
        async with scripted(reply(status=503), last) as server, client(server.url, budget=Budget(tries=2)) as http:
            with pytest.raises(InDoubt, match="it may or may not have taken effect"):
                await http.send(post(repeatable=True), body)
        assert len(server.received) == 2
    async with scripted(reply(status=503)) as server, client(server.url, budget=Budget(tries=2)) as http:
        with pytest.raises(Retryable):
            await http.send(post(reads=True), body)


@pytest.mark.parametrize("how", ["401", "permit"])
async def test_a_write_that_is_refused_after_a_try_without_an_answer_may_have_taken_effect(how: str) -> None:
    """Whether the credentials were withdrawn meanwhile, or a person or the loss of a lease forbids the second try."""
    asked: list[None] = []

    def permit() -> None:
        asked.append(None)
        if how == "permit" and len(asked) == 3:  # head and body of the first try, the head of the second
            raise Quarantined("not now")

    async with scripted(reply(status=503), reply(status=401)) as server, client(server.url) as http:
        http.permit = permit
        with pytest.raises(InDoubt, match=r"an earlier try may have taken effect; .*(not now|401)"):
            await http.send(post(repeatable=True), body)
    async with scripted(reply(status=429), reply(status=401)) as server, client(server.url) as http:
        with pytest.raises(Quarantined):
            await http.send(post(repeatable=True), body)


async def test_429_was_not_processed_so_even_a_create_is_sent_again() -> None:
    environment = Impatient()
    async with scripted(reply(status=429, retry_after="7"), reply()) as server, client(server.url, environment=environment) as http:
        await http.send(post(), body)
    assert [one.method for one in server.received] == ["POST", "POST"]
    assert max(environment.slept) == pytest.approx(7, abs=0.1)
    assert (http.meter.requests, http.meter.throttled) == (2, 1)


async def test_the_permit_is_asked_before_each_attempt_of_what_is_unsafe_and_after_all_waiting() -> None:
    clock = Impatient()
    asked: list[float] = []

    def permit() -> None:
        asked.append(sum(clock.slept))
        if len(asked) == 5:
            raise Quarantined("the lease was lost")

    async with scripted(reply({}, 429, retry_after="7")) as server, client(server.url, environment=clock) as http:
        http.permit = permit
        with pytest.raises(Quarantined, match="the lease was lost"):
            await http.send(post(), body)
    assert (len(server.received), asked) == (2, pytest.approx([0, 0, 7, 7, 14], abs=0.1)), "before the head and the body of each"


async def test_nobody_is_asked_for_leave_to_read() -> None:
    def permit() -> None:
        raise Quarantined("the lease was lost")

    async with scripted(reply()) as server, client(server.url) as http:
        http.permit = permit
        await http.send(get(), body)
        await http.send(post(reads=True), body)
        for repeatable in (False, True):
            with pytest.raises(Quarantined):
                await http.send(post(repeatable=repeatable), body)
    assert len(server.received) == 2


async def test_429_without_end_is_retryable() -> None:
    async with scripted(reply({"code": 20429, "message": "Too Many"}, 429)) as server, client(server.url) as http:
        with pytest.raises(Retryable, match="20429"):
            await http.send(post(), body)
    assert len(server.received) == 3


async def test_a_429_that_the_provider_calls_final_is_a_refusal_and_slows_nobody_down() -> None:
    def explain(answer: Answer) -> Problem:
        return problem(answer)._replace(final=True)

    quota = reply({"code": "full", "message": "no room"}, 429, retry_after="60")
    environment = Impatient()
    async with scripted(quota, reply()) as server, client(server.url, environment=environment, explain=explain) as http:
        with pytest.raises(Rejected, match="no room") as caught:
            await http.send(post(), body)
        await http.send(get(), body)
    assert (caught.value.code, environment.slept, http.meter.throttled) == ("full", [], 0)


async def test_a_429_makes_everybody_wait() -> None:
    environment = Impatient()
    async with (
        scripted(reply(status=429, retry_after="60"), reply()) as server,
        client(server.url, environment=environment, budget=Budget(tries=1)) as http,
    ):
        with pytest.raises(Retryable):
            await http.send(get(), body)
        assert environment.slept == []
        await http.send(get(), body)
    assert environment.slept == [pytest.approx(60, abs=1)]


async def test_a_wish_for_more_silence_than_there_is_patience_fails_at_once_and_for_everybody() -> None:
    environment = Impatient()
    async with (
        scripted(reply(status=429, retry_after="1000000000"), reply()) as server,
        client(server.url, environment=environment) as http,
    ):
        for _ in range(3):
            with pytest.raises(Retryable) as caught:
                await http.send(post(), body)
            assert caught.value.after == pytest.approx(300, abs=1)
        assert (len(server.received), environment.slept) == (1, [])
        environment.slept.append(200.0)
        await http.send(get(), body)
    assert len(server.received) == 2


async def test_a_wish_given_as_a_date_is_meant_by_the_providers_clock() -> None:
    environment = Impatient()
    busy = reply(status=503, date="Sat, 21 Nov 2020 08:00:00 GMT", retry_after="Sat, 21 Nov 2020 08:00:09 GMT")
    async with scripted(busy, reply()) as server, client(server.url, environment=environment) as http:
        await http.send(get(), body)
    assert environment.slept == [9.0]


async def test_what_cannot_be_reached_got_nothing_so_a_create_is_no_doubt() -> None:
    async with scripted(reply()) as server:
        url = server.url
    async with client(url) as http:
        with pytest.raises(Retryable, match="cannot be reached"):
            await http.send(post(), body)
    assert http.meter.requests == 0


async def test_silence_is_cut_at_the_deadline() -> None:
    async def silent(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        await asyncio.Event().wait()
        return None

    async with raw_server(silent) as server, client(server.url, deadline=0.05) as http:
        with pytest.raises(InDoubt, match=r"no complete answer within 0\.05 s"):
            await http.send(post(), body)
        with pytest.raises(Retryable, match="no complete answer"):
            await http.send(get(), body)
    assert len(server.received) == 4


async def test_a_slow_drip_is_cut_at_the_same_deadline() -> None:
    dripped = 0

    async def drip(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        nonlocal dripped
        for byte in reply(b'"' + b"x" * 1000 + b'"'):
            writer.write(bytes([byte]))
            await writer.drain()
            dripped += 1
            await asyncio.sleep(0.01)
        return None

    async with raw_server(drip) as server, client(server.url, deadline=0.15, budget=Budget(tries=1)) as http:
        with pytest.raises(Retryable, match="no complete answer"):
            await http.send(get(), body)
    assert 1 < dripped < 100


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>sign in</html>", content_type="text/html"),
        reply(b'{"a": 1}', content_type="text/plain"),
        reply(b'{"a": 1}', content_type=""),
        reply(b'{"a": 1}', length=999) + b"",
        reply(b'{"a": 1}', 202),
    ],
    ids=["html", "type", "no type", "truncated", "other success"],
)
async def test_an_answer_that_is_not_the_documented_one(answer: bytes) -> None:
    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        writer.write(answer if len(server.received) == 1 else reply(b'"ok"'))
        await writer.drain()
        return None

    async with raw_server(answering) as server, client(server.url) as http:
        assert await http.send(get(), body) == b'"ok"'
    assert len(server.received) == 2
    async with raw_server(answering) as server, client(server.url) as http:
        with pytest.raises(InDoubt):
            await http.send(post(), body)
    assert len(server.received) == 1


async def test_a_decoder_may_call_an_answer_malformed() -> None:
    def decode(answer: Answer) -> bytes:
        if answer.body != b'"ok"':
            raise Malformed(f"not ok, {SECRET}")
        return answer.body

    async with scripted(reply(), reply(b'"ok"')) as server, client(server.url) as http:
        assert await http.send(get(), decode) == b'"ok"'
    async with scripted(reply()) as server, client(server.url) as http:
        with pytest.raises(InDoubt, match=r"not ok, \*\*\*"):
            await http.send(post(), decode)


@pytest.mark.parametrize(("per_second", "concurrency", "most"), [(None, 16, EARLY), (None, 3, 3), (1e4, 16, 16)])
async def test_few_are_under_way_at_once_where_the_limit_is_unknown_until_the_provider_has_shown_that_it_takes_more(
    per_second: float | None, concurrency: int, most: int
) -> None:
    """All that are under way are refused when the limit is first met."""
    together: list[int] = []
    crowd = 0

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes:
        nonlocal crowd
        crowd += 1
        together.append(crowd)
        for _ in range(10):
            await asyncio.sleep(0)
        crowd -= 1
        return reply()

    async with raw_server(answering) as server, client(server.url, concurrency=concurrency, per_second=per_second) as http:
        await asyncio.gather(*(http.send(get(), body) for _ in range(WIDER - 1)))
        assert http._slots._value == most >= max(together)
        await asyncio.gather(*(http.send(get(), body) for _ in range(10 * WIDER)))
        assert http._slots._value == min(concurrency, most + 10)
        await asyncio.gather(*(http.send(get(), body) for _ in range(WIDER)))
        assert http._slots._value == concurrency
