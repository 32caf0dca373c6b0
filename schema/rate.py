"""How much a client may ask for: what it costs flows back evenly, and is saved for a while."""

from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from hub.errors import RateLimited

SAVED_SECONDS = 10
"""For how long a client that asks nothing saves up."""
CLIENTS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """A bucket for each client, filled with `per_second` each second; 0 means no limit."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._buckets: dict[UUID, _Bucket] = {}

    def take(self, client: UUID, cost: int) -> None:
        """Take a cost out of a client's bucket. Raises RateLimited when it is not in there.

        What costs more than a full bucket holds is let through when the bucket is full.
        """
        if not self._per_second:
            return
        most = float(self._per_second * SAVED_SECONDS)
        now = monotonic()
        bucket = self._buckets.get(client)
        if bucket is None:
            if len(self._buckets) >= CLIENTS:
                self._buckets.clear()
            bucket = self._buckets[client] = _Bucket(most, now)
        bucket.left = min(most, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        wanted = min(float(cost), most)
        if bucket.left < wanted:
            seconds = (wanted - bucket.left) / self._per_second
            raise RateLimited(
                f"The client asks for too much at a time: try again in {seconds:.1f} s.",
                seconds=round(seconds, 3),
            )
        bucket.left -= cost
