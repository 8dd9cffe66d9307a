"""A Bolt app of a few lines that uses one of each thing the page must be able to do."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

EVIL = "<img src=x onerror=\"document.title='owned'\"><b>Dupont</b> & Cie"
ESCAPED = EVIL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(text: str, value: str) -> dict[str, Any]:
    return {"text": plain(text), "value": value}


def button(text: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


ASK = {"title": plain("Effacer ?"), "text": plain("Tout."), "confirm": plain("Oui"), "deny": plain("Non")}

CONTROLS = [
    mrkdwn("Les contrôles"),
    actions(
        button("Compter", "count"),
        button("Effacer", "erase", style="danger", confirm=ASK),
        button("Formulaire", "form"),
        {"type": "static_select", "action_id": "period", "options": [option("Mois", "m"), option("Année", "y")]},
        {"type": "users_select", "action_id": "who", "placeholder": plain("Une personne")},
        {"type": "external_select", "action_id": "deal", "placeholder": plain("Une affaire"), "min_query_length": 0},
        {"type": "overflow", "action_id": "more", "options": [option("Exporter", "csv"), option("Aider", "help")]},
    ),
]

TABLE = {
    "type": "data_table",
    "caption": "Classement",
    "rows": [
        [{"type": "raw_text", "text": "Nom"}, {"type": "raw_text", "text": "Signées"}],
        [{"type": "raw_text", "text": EVIL}, {"type": "raw_number", "value": 2, "text": "2"}],
        [{"type": "raw_text", "text": "Zoé"}, {"type": "raw_number", "value": 10, "text": "10"}],
        [{"type": "raw_text", "text": "Bob"}, {"type": "raw_number", "value": 9, "text": "9"}],
    ],
}

CHART = {
    "type": "data_visualization",
    "title": "Par mois",
    "chart": {
        "type": "line",
        "series": [{"name": "Taux", "data": [{"label": "mai", "value": 1234.5}, {"label": "juin", "value": 900}]}],
        "axis_config": {"categories": ["mai", "juin"]},
    },
}

NAME = {"type": "plain_text_input", "action_id": "text"}
LIMIT = {"type": "number_input", "action_id": "number", "is_decimal_allowed": True, "min_value": "0"}
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Une règle"),
    "submit": plain("Créer"),
    "blocks": [
        {"type": "input", "block_id": "name", "label": plain("Nom"), "element": NAME},
        {"type": "input", "block_id": "limit", "label": plain("Seuil"), "element": LIMIT},
    ],
}


def register(app: AsyncApp) -> None:
    @app.command("/kpi")
    async def kpi(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        await ack()
        await respond(f"Entendu : {command['text']}")

    @app.action("count")
    async def count(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        place = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**place, text="Compté", blocks=[mrkdwn("Compté *une* fois")])

    @app.action("form")
    async def form(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.view("form")
    async def submitted(ack: Any, view: dict[str, Any], body: dict[str, Any], client: Any) -> None:
        values = view["state"]["values"]
        name, limit = values["name"]["text"]["value"], values["limit"]["number"]["value"]
        if len(name) < 3:
            await ack(response_action="errors", errors={"name": "Trois lettres au moins."})
            return
        await ack()
        await client.chat_postMessage(channel=body["user"]["id"], text=f"Règle {name}, seuil {limit}")

    @app.options("deal")
    async def deals(ack: Any, payload: dict[str, Any]) -> None:
        await ack(options=[option(f"Affaire {payload['value']}{number}", str(number)) for number in (1, 2)])

    @app.action({"action_id": "period", "type": "block_actions"})
    @app.action("who")
    @app.action("deal")
    @app.action("more")
    @app.action("erase")
    async def chosen(ack: Any, action: dict[str, Any], body: dict[str, Any], client: Any) -> None:
        await ack()
        got = action.get("selected_option", {}).get("value") or action.get("selected_user") or "rien"
        channel, user = body["channel"]["id"], body["user"]["id"]
        await client.chat_postEphemeral(channel=channel, user=user, text=f"Reçu {action['action_id']} = {got}")

    @app.event("app_home_opened")
    async def home(event: dict[str, Any], client: Any) -> None:
        view = {
            "type": "home",
            "blocks": [{"type": "header", "text": plain("Bonjour")}, actions(button("Formulaire", "form"))],
        }
        await client.views_publish(user_id=event["user"], view=view)

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any], client: Any) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Présente !")

    @app.event("message")
    async def heard() -> None:
        pass
