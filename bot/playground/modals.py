"""A person submitting and closing modals, and what the app may answer: errors, update, push, clear."""

from starlette.requests import Request
from starlette.routing import Route

from bot.playground.inputs import client_errors
from bot.playground.payloads import closing_payload, submission_payload
from bot.playground.records import Json, Person, View
from bot.playground.user_side import FAILURES, RefusalError, UserSide, answering
from bot.playground.web_api.method import ApiError
from bot.playground.web_api.views import STACK_MAX, checked_view, push_view, replace_view


class Modals:
    def __init__(self, side: UserSide) -> None:
        self._side = side
        self._world = side.world

    def routes(self) -> list[Route]:
        return [
            Route("/playground/view/submit", answering(self.submit), methods=["POST"]),
            Route("/playground/view/close", answering(self.close), methods=["POST"]),
        ]

    async def submit(self, request: Request) -> Json:
        asked = await request.json()
        person, view = self._top(asked)
        with self._world.lock:
            for block_id, actions in (asked.get("values") or {}).items():
                view.inputs.setdefault(block_id, {}).update(actions)
            errors = client_errors(view)
            if errors:
                return self._complain(view, errors)
            payload = submission_payload(self._world, person, view)
        delivery = await self._side.line.send("interactive", payload)
        if delivery.outcome != "ok":
            raise RefusalError(FAILURES[delivery.outcome])
        with self._world.lock:
            return self._answered(person, view, delivery.body)

    async def close(self, request: Request) -> Json:
        person, view = self._top(await request.json())
        with self._world.lock:
            self._pop(person, view)
            payload = closing_payload(self._world, person, view, cleared=False)
        if view.body.get("notify_on_close"):
            await self._side.line.send("interactive", payload)
        return {"ok": True}

    def _answered(self, person: Person, view: View, body: Json) -> Json:
        action = body.get("response_action")
        try:
            if not body:
                self._pop(person, view)
            elif action == "clear":
                self._world.modals[person.id] = []
                self._world.changed("view", user=person.id)
            elif action == "errors":
                inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
                errors = body.get("errors")
                if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
                    raise RefusalError("invalid_errors: every key must be the block_id of an input")
                return self._complain(view, errors)
            elif action == "update":
                replace_view(self._world, view, checked_view(self._world, body.get("view"), "modal", but=view))
            elif action == "push":
                if len(self._world.modals[person.id]) >= STACK_MAX:
                    raise RefusalError("push_limit_reached")
                push_view(self._world, person.id, checked_view(self._world, body.get("view"), "modal"))
            else:
                raise RefusalError("invalid_response_action")
        except ApiError as error:
            raise RefusalError(f"{error.code}: {error.more}") from error
        return {"ok": True}

    def _complain(self, view: View, errors: dict[str, str]) -> Json:
        view.errors = dict(errors)
        self._world.changed("view", user=view.user)
        return {"errors": view.errors}

    def _pop(self, person: Person, view: View) -> None:
        stack = self._world.modals.get(person.id, [])
        if view in stack:
            stack.remove(view)
        self._world.changed("view", user=person.id)

    def _top(self, asked: Json) -> tuple[Person, View]:
        person = self._side.person(asked)
        stack = self._world.modals.get(person.id, [])
        if not stack or stack[-1].id != asked.get("view_id"):
            raise RefusalError("view_not_found")
        return person, stack[-1]
