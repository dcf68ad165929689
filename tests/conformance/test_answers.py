"""Every server gives the answers that the ensemble gives with no server around it."""

import asyncio
from typing import Any

import httpx

CONCURRENCY = 40


def test_answers_equal_the_reference_in_batches_too(sut: Any) -> None:
    subject = sut.subject

    async def ask_all() -> list[httpx.Response]:
        turn = asyncio.Semaphore(CONCURRENCY)
        limits = httpx.Limits(max_connections=CONCURRENCY)
        async with httpx.AsyncClient(base_url=sut.url, timeout=60, limits=limits) as client:

            async def ask(index: int) -> httpx.Response:
                example = subject.examples[index]
                async with turn:
                    return await client.post(
                        subject.path,
                        content=example.body,
                        headers={"Content-Type": example.media_type},
                    )

            return await asyncio.gather(*map(ask, range(len(subject.examples))))

    replies = asyncio.run(ask_all())
    assert [reply.status_code for reply in replies] == [200] * len(replies)
    wrong = [i for i, reply in enumerate(replies) if not sut.is_right(i, reply.json())]
    assert not wrong, (wrong, replies[wrong[0]].text, subject.references[wrong[0]])
