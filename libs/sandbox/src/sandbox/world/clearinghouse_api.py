"""A clearinghouse with a REST interface, in front of the same payers as the one with folders.

It stands for no product: its calls are those that `claims.adapters.clearinghouses.rest` documents, and it says by signed webhooks
that answers wait, with the faults of `WebhookSender` by event type `answer.waiting`. Faults by target:
`interchange` TIMEOUT_AFTER_WORK (takes the file, then holds the answer until the client gives up), SERVER_ERROR (takes it, says 500), DOWN
(503, takes nothing), REJECT (422); `answers` SERVER_ERROR, DUPLICATE (an answer is listed again after it was taken).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.payer import Answer, Payers
from sandbox.world.real_time import AnswerDesk, answers_to
from sandbox.world.webhooks import WebhookSender
from sandbox.world.x12_claims import Unreadable

X12 = "application/edi-x12"
HOLD_SECONDS = 5.0
HINT = "answer.waiting"
SIGNATURE = "Clearinghouse-Signature"


@dataclass(slots=True)
class _Waiting:
    answer: Answer
    taken: bool = False


class ClearinghouseApi:
    """Serves on loopback. `desk` answers a 270 or 276 in real time; where it is not given, questions are refused with 404.

    `webhooks` is the caller's to start, configure and stop.
    """

    def __init__(
        self,
        payers: Payers,
        now: Callable[[], datetime],
        token: str,
        *,
        desk: AnswerDesk | None = None,
        webhooks: WebhookSender | None = None,
        wraps_in_json: bool = False,
        misbehaviour: Misbehaviour | None = None,
        names: tuple[str, str] = ("interchanges", "answers"),
        media_type: str = X12,
    ) -> None:
        self.payers = payers
        self.misbehaviour = misbehaviour or payers.misbehaviour
        self.interchanges: dict[str, bytes] = {}
        self._now = now
        self._token = token
        self._desk = desk
        self._webhooks = webhooks
        self._wraps = wraps_in_json
        self._answers: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._media_type = media_type
        self._app = LoopbackApp(Starlette(routes=self._routes(*names)))

    def _routes(self, sent: str, answers: str) -> list[Route]:
        return [
            Route(f"/v1/{sent}/{{name}}", self._put, methods=["PUT"]),
            Route(f"/v1/{sent}/{{name}}", self._get, methods=["GET"]),
            Route(f"/v1/{answers}", self._list, methods=["GET"]),
            Route(f"/v1/{answers}/{{id}}", self._content, methods=["GET"]),
            Route(f"/v1/{answers}/{{id}}/taken", self._taken, methods=["POST"]),
            Route("/v1/real-time", self._ask, methods=["POST"]),
        ]

    @property
    def url(self) -> str:
        return self._app.url

    def start(self) -> None:
        self._app.start()

    def stop(self) -> None:
        self._app.stop()

    def put_answer(self, answer: Answer) -> None:
        """An answer waits to be fetched."""
        with self._lock:
            identity = f"A{len(self._answers) + 1:06d}"
            self._answers[identity] = _Waiting(answer)
        if self._webhooks:
            self._webhooks.put([{"id": f"hint-{identity}", "type": HINT}])

    async def _put(self, request: Request) -> Response:
        if not self._is_known(request):
            return Response(status_code=401)
        name, content = request.path_params["name"], await request.body()
        if self.misbehaviour.strike(Fault.DOWN, "interchange"):
            return Response(status_code=503)
        if self.misbehaviour.strike(Fault.REJECT, "interchange"):
            return Response(status_code=422)
        if request.headers.get("digest") != f"sha-256={hashlib.sha256(content).hexdigest()}":
            return Response(status_code=400)
        known = self.interchanges.get(name)
        if known is not None:
            return Response(status_code=200 if known == content else 409)
        self.interchanges[name] = content
        for answer in self._answers_to(content):
            self.put_answer(answer)
        if self.misbehaviour.strike(Fault.TIMEOUT_AFTER_WORK, "interchange"):
            await asyncio.sleep(HOLD_SECONDS)
        return Response(status_code=500 if self.misbehaviour.strike(Fault.SERVER_ERROR, "interchange") else 201)

    async def _get(self, request: Request) -> Response:
        if not self._is_known(request):
            return Response(status_code=401)
        content = self.interchanges.get(request.path_params["name"])
        if content is None:
            return Response(status_code=404)
        return JSONResponse({"sha256": hashlib.sha256(content).hexdigest()})

    async def _list(self, request: Request) -> Response:
        if not self._is_known(request):
            return Response(status_code=401)
        if self.misbehaviour.strike(Fault.SERVER_ERROR, "answers"):
            return Response(status_code=500)
        with self._lock:
            waiting = [(identity, each.answer.name) for identity, each in self._answers.items() if not each.taken]
        return JSONResponse({"answers": [{"id": identity, "name": name} for identity, name in waiting]})

    async def _content(self, request: Request) -> Response:
        waiting = self._answers.get(request.path_params["id"]) if self._is_known(request) else None
        if waiting is None:
            return Response(status_code=404)
        if self._wraps:
            return JSONResponse({"x12": waiting.answer.content.decode("latin-1")})
        return Response(waiting.answer.content, media_type=self._media_type)

    async def _taken(self, request: Request) -> Response:
        waiting = self._answers.get(request.path_params["id"]) if self._is_known(request) else None
        if waiting is None:
            return Response(status_code=404)
        if not self.misbehaviour.strike(Fault.DUPLICATE, "answers"):
            waiting.taken = True
        return Response(status_code=204)

    async def _ask(self, request: Request) -> Response:
        if not self._is_known(request):
            return Response(status_code=401)
        if self._desk is None:
            return Response(status_code=404)
        if self.misbehaviour.strike(Fault.DOWN, "real-time"):
            return Response(status_code=503)
        try:
            return Response(self._desk.answer(await request.body()), media_type=X12)
        except Unreadable:
            return Response(status_code=422)

    def _answers_to(self, content: bytes) -> list[Answer]:
        if self._desk is None:
            return self.payers.receive(content, self._now())
        return answers_to(content, self.payers, self._desk, self._now())

    def _is_known(self, request: Request) -> bool:
        return hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {self._token}")
