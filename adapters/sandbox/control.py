"""How a test or a demo speaks to the sandbox itself: rows in and out, trouble, what arrived."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from secrets import compare_digest
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.sandbox.model import Refused
from adapters.sandbox.serving import Door
from adapters.sandbox.trouble import Trouble


class Control:
    """Its routes are open to those who hold the token that the process was started with."""

    def __init__(self, doors: Mapping[str, Door], token: str) -> None:
        self._doors = doors
        self._token = token
        at = "/sandbox/{vendor}"
        self._routes: ASGIApp = Starlette(
            routes=[
                Route(f"{at}/rows", self.rows, methods=["GET", "POST", "DELETE"]),
                Route(f"{at}/trouble", self.trouble, methods=["GET", "PUT"]),
                Route(f"{at}/arrivals", self.arrivals, methods=["GET", "DELETE"]),
                Route(f"{at}/clock", self.clock, methods=["GET", "PUT"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Request(scope).headers.get("authorization", "")
        is_known = compare_digest(given.encode(), f"Bearer {self._token}".encode())
        await (self._routes if is_known else Response(status_code=401))(scope, receive, send)

    async def rows(self, request: Request) -> Response:
        """GET ?model=: all of them. POST {"model", "put": [values with or without "id"], "delete":
        [ids], "at": microseconds}: changed in one transaction; answers with the ids put.
        DELETE: everything goes."""
        vendor = self._door(request).vendor
        if request.method == "DELETE":
            return self._emptied(self._door(request))
        if request.method == "GET":
            told = vendor.everything(request.query_params["model"])
            return Response(told, media_type="application/json")
        said: dict[str, Any] = json.loads(await request.body())
        try:
            put = vendor.put(
                said["model"], said.get("put", []), said.get("delete", []), said.get("at")
            )
        except Refused as refused:
            return JSONResponse({"error": str(refused)}, status_code=422)
        return JSONResponse({"ids": put})

    def _emptied(self, door: Door) -> Response:
        door.mischief.forget()
        door.arrivals.clear()
        door.vendor.empty()
        return JSONResponse({})

    async def trouble(self, request: Request) -> Response:
        """PUT [trouble…] replaces what was set before; GET tells how often each was done."""
        mischief = self._door(request).mischief
        if request.method == "PUT":
            try:
                mischief.troubles = [Trouble(**one) for one in json.loads(await request.body())]
            except (TypeError, ValueError) as wrong:
                return JSONResponse({"error": str(wrong)}, status_code=422)
        done = [{"kind": one.kind, "done": one.done} for one in mischief.troubles]
        return JSONResponse(done)

    async def arrivals(self, request: Request) -> Response:
        arrived = self._door(request).arrivals
        if request.method == "DELETE":
            arrived.clear()
        return JSONResponse([asdict(one) for one in arrived])

    async def clock(self, request: Request) -> Response:
        """What the vendor takes for the time; PUT {"skew": seconds} makes it wrong."""
        book = self._door(request).vendor.book
        if request.method == "PUT":
            book.skew = float(json.loads(await request.body())["skew"])
        return JSONResponse({"now": book.now()})

    def _door(self, request: Request) -> Door:
        return self._doors[request.path_params["vendor"]]
