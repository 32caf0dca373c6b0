"""`/metrics` for Prometheus: how much is asked, how it ends, how long it takes. Nothing personal.

Open to whoever asks from this very machine, not through a proxy, or with the token of
HUB_METRICS_TOKEN.
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.web.figures import BOUNDS, Figures, Reading

FORWARDED = ("forwarded", "x-forwarded-for", "via")
_STRANGE = re.compile(r"[^a-z0-9_]+")


class Metrics:
    """The route."""

    def __init__(self, figures: Figures, token: SecretStr | None) -> None:
        self._token = token
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Shown(figures))

    async def answer(self, request: Request) -> Response:
        if not (self._knows(request) or _is_at_home(request)):
            return PlainTextResponse("Ask from this machine, or with the metrics token.\n", 403)
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"content-type": kind})

    def _knows(self, request: Request) -> bool:
        if self._token is None:
            return False
        offered = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(offered, f"Bearer {self._token.get_secret_value()}".encode())


def _is_at_home(request: Request) -> bool:
    """Whether it comes from this machine; what a proxy passes on may come from anywhere."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class _Shown(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        reading = self._figures.together()
        yield _requests(reading)
        yield _durations(reading)
        yield from _gauges(reading)


def _requests(reading: Reading) -> Metric:
    family = CounterMetricFamily(
        "hub_requests",
        "Requests by door, kind of operation and outcome.",
        labels=["door", "kind", "outcome"],
    )
    for words, number in reading.counts.items():
        family.add_metric(words.split(), number)
    return family


def _durations(reading: Reading) -> Metric:
    family = HistogramMetricFamily(
        "hub_request_seconds", "How long requests took.", labels=["door"]
    )
    for door, classes in reading.durations.items():
        family.add_metric([door], list(_cumulated(classes)), reading.seconds[door])
    return family


def _cumulated(classes: list[int]) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, number in zip([*map(str, BOUNDS), "+Inf"], classes, strict=True):
        total += number
        yield bound, total


def _gauges(reading: Reading) -> Iterator[Metric]:
    for name, number in sorted(reading.gauges.items()):
        plain = _STRANGE.sub("_", name.lower())
        yield GaugeMetricFamily(f"hub_{plain}", f"{name.replace('_', ' ')}.", value=number)
