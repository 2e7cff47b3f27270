"""A write is asked about in the step in which it leaves; bytes arrive whole, in order, plain or encrypted, and so do ends and failures."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpcore
import pytest
from loopback import Received, asked_in_the_step_of_each_write, client, post, raw_server, reply, scripted

from syncd.connectors import stream
from syncd.connectors.answer import Answer
from syncd.connectors.stream import Backend
from syncd.errors import Quarantined

pytestmark = pytest.mark.anyio


def body(answer: Answer) -> bytes:
    return answer.body


class Lease:
    """Lost at one of the questions: the ``after``-th."""

    def __init__(self, after: int) -> None:
        self.after, self.asked = after, 0

    def __call__(self) -> None:
        self.asked += 1
        if self.asked >= self.after:
            raise Quarantined("the lease was lost")


@pytest.mark.parametrize("after", [1, 2])
async def test_a_request_whose_lease_is_lost_before_its_last_byte_is_never_whole(after: int) -> None:
    """Before its head nothing leaves; between head and body the provider gets no request that it could carry out."""
    async with scripted(reply()) as server, client(server.url) as http:
        http.permit = Lease(after)
        with pytest.raises(Quarantined):
            await http.send(post(), body)
        assert (server.received, http.meter.requests) == ([], 0)
        http.permit = Lease(99)
        await http.send(post(), body)
    assert len(server.received) == 1


async def test_nothing_else_runs_between_the_question_and_the_write() -> None:
    """Whatever waits to run in this process may take longer than a lease lasts."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1") as server:
        backend = Backend()
        made = await backend.connect_tcp(*server.sockets[0].getsockname()[:2])
        assert isinstance(made, stream.Stream)
        await asked_in_the_step_of_each_write(backend, made._transport, made)


async def test_more_than_fits_is_read_to_its_end_and_no_more_is_taken_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST", 1000)
    sent = bytes(range(256)) * 4000

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1") as server:
        made = await Backend().connect_tcp(*server.sockets[0].getsockname()[:2])
        assert isinstance(made, stream.Stream)
        got, most = b"", 0
        while part := await made.read(700):
            got, most = got + part, max(most, len(made._buffer))
        await made.aclose()
    assert got == sent and most < 300_000


async def test_an_end_and_an_unasked_word_make_it_readable_and_a_closed_one_takes_nothing() -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1) == b"w":
            writer.write(b"word")
            await writer.drain()
            await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1") as server:
        for said in (b"w", b"e"):
            made = await Backend().connect_tcp(*server.sockets[0].getsockname()[:2])
            assert not made.get_extra_info("is_readable")
            await made.write(said)
            while not made.get_extra_info("is_readable"):
                await asyncio.sleep(0)
            await made.aclose()
            with pytest.raises(httpcore.WriteError):
                await made.write(b"x")


async def test_what_does_not_come_in_time_is_late() -> None:
    async with raw_server(lambda request, writer: asyncio.sleep(0, None)) as server:  # type: ignore[arg-type,return-value]
        made = await Backend().connect_tcp("127.0.0.1", server.port)
        with pytest.raises(httpcore.ReadTimeout):
            await made.read(10, timeout=0.01)
        await made.aclose()


@contextmanager
def deaf(port: int) -> Iterator[None]:
    """Nobody answers at 127.0.0.2: the queue is full, and what else comes is dropped."""
    with ExitStack() as stack:
        door = stack.enter_context(socket.socket())
        door.bind(("127.0.0.2", port))
        door.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(door.getsockname())
        yield


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> str:
    """A name, and where it leads to, in the order of the system."""

    async def found(host: str, port: int, **more: object) -> list[object]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]  # fmt: skip

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    return "some.localhost"


async def heard(port: int, deadline: float | None = None) -> tuple[str, int]:
    """Who answers there."""
    made = await Backend().connect_tcp("some.localhost", port, deadline)
    address: tuple[str, int] = made.get_extra_info("server_addr")
    await made.aclose()
    return address


async def test_an_address_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with scripted(reply()) as server:
        with deaf(server.port):
            assert await heard(server.port, deadline=2.0) == ("127.0.0.1", server.port)


async def test_an_address_that_refuses_is_followed_by_one_of_the_other_family(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "::1", "::1", "127.0.0.1")
    async with scripted(reply()) as server:
        assert await heard(server.port) == ("127.0.0.1", server.port)


async def test_the_slower_of_two_that_answer_is_left_alone_and_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked before a write is asked of the one connection that there is."""
    monkeypatch.setattr(stream, "NEXT", 0.0)
    name = leads_to(monkeypatch, "127.0.0.1", "127.0.0.2")

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        return reply()

    async with raw_server(answering) as one, raw_server(answering, at=("127.0.0.2", one.port)) as two:
        async with client(f"http://{name}:{one.port}") as http:
            http.permit = Lease(1)
            with pytest.raises(Quarantined):
                await http.send(post(), body)
            assert one.received + two.received == []
            http.permit = Lease(99)
            await http.send(post(), body)
        while one.open or two.open:
            await asyncio.sleep(0)
    assert len(one.received + two.received) == 1


async def test_who_is_cancelled_while_it_connects_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of it; what is lost would stay open until the memory is tidied."""
    monkeypatch.setattr(stream, "NEXT", 0.0)
    leads_to(monkeypatch, "127.0.0.1", "127.0.0.2")

    async def answering(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        return reply()

    gc.disable()
    try:
        async with raw_server(answering) as one, raw_server(answering, at=("127.0.0.2", one.port)) as two:
            for steps in [*range(40)] * 3:
                trying = asyncio.create_task(Backend().connect_tcp("some.localhost", one.port))
                for _ in range(steps):
                    await asyncio.sleep(0)
                trying.cancel()
                for made in await asyncio.gather(trying, return_exceptions=True):
                    if isinstance(made, stream.Stream):
                        await made.aclose()
            async with asyncio.timeout(10):
                while one.open or two.open:
                    await asyncio.sleep(0)
    finally:
        gc.enable()
    assert one.connections > 10


async def test_nobody_at_any_address_is_said_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    leads_to(monkeypatch, "127.0.0.1", "127.0.0.2")
    with pytest.raises(httpcore.ConnectError, match=r"'127.0.0.1', .*'127.0.0.2'"):
        await heard(port)


async def test_nobody_there_is_said_as_the_system_says_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(httpcore.ConnectError):
        await Backend().connect_tcp("127.0.0.1", port)
