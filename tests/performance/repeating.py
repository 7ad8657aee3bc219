"""A remittance of any size made of a smaller one: its claims over and over, with the totals and counts set right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repeated:
    """`head`, then `times` times `claims`, then `tail`."""

    head: bytes
    claims: bytes
    tail: bytes
    times: int

    @property
    def size_bytes(self) -> int:
        return len(self.head) + len(self.claims) * self.times + len(self.tail)

    def chunks(self) -> Iterator[bytes]:
        """The bytes of all of it, which never stand anywhere at once."""
        yield self.head
        for _ in range(self.times):
            yield self.claims
        yield self.tail


def repeated(content: bytes, paid_minor: int, times: int) -> Repeated:
    """`content` is a remittance that pays `paid_minor` and ends with its claims."""
    start, end = content.index(b"CLP*"), content.rindex(b"SE*")
    head, claims, tail = content[:start], content[start:end], content[end:]
    before, mark, rest = head.partition(b"BPR*I*")
    assert mark, "no payment in the remittance"
    paid = paid_minor * times
    head = before + mark + b"%d.%02d*" % (paid // 100, paid % 100) + rest.partition(b"*")[2]
    count = int(tail.split(b"*")[1])
    right = count + claims.count(b"~") * (times - 1)
    return Repeated(head, claims, tail.replace(b"SE*%d*" % count, b"SE*%d*" % right, 1), times)
