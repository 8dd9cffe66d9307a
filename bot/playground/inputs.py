"""What Slack's client itself asks of a form before it sends it to the app."""

from urllib.parse import urlsplit

from bot.playground.records import Json, View
from bot.playground.web_api.views import value_key

REQUIRED = "Please complete this required field."


def client_errors(view: View) -> dict[str, str]:
    """block_id -> sentence, for the inputs that Slack would not send; empty when all is well."""
    errors: dict[str, str] = {}
    for block in view.body["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        key = value_key(element["type"]) or "value"
        value = view.inputs.get(block["block_id"], {}).get(element["action_id"], {}).get(key)
        if value is None or value in ("", []):
            if not block.get("optional"):
                errors[block["block_id"]] = REQUIRED
            continue
        complaint = _complaint(element, value)
        if complaint:
            errors[block["block_id"]] = complaint
    return errors


def _complaint(element: Json, value: object) -> str | None:
    kind, text = element["type"], str(value)
    if kind == "plain_text_input":
        if len(text) < int(element.get("min_length", 0)):
            return f"Please enter at least {element['min_length']} characters."
        if len(text) > int(element.get("max_length", 3000)):
            return f"Please enter at most {element.get('max_length', 3000)} characters."
    elif kind == "number_input":
        return _number_complaint(element, text)
    elif kind == "email_text_input" and not ("@" in text and "." in text.rpartition("@")[2]):
        return "Please enter a valid email address."
    elif kind == "url_text_input" and urlsplit(text).scheme not in {"http", "https"}:
        return "Please enter a valid URL."
    most = element.get("max_selected_items")
    if most is not None and isinstance(value, list) and len(value) > int(most):
        return f"Please select at most {most}."
    return None


def _number_complaint(element: Json, text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return "Please enter a number."
    if not element.get("is_decimal_allowed") and not number.is_integer():
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter {element['min_value']} or more."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter {element['max_value']} or less."
    return None
