"""Block Kit's interactive elements, options and confirmation dialogs, as Slack would refuse them."""

import re
from collections.abc import Callable
from datetime import date

from bot.playground.checking import ANY_TEXT, Findings
from bot.playground.records import Json

_SELECTS = {
    "static_select": "initial_option options option_groups",
    "external_select": "initial_option min_query_length",
    "users_select": "initial_user",
    "channels_select": "initial_channel response_url_enabled",
    "conversations_select": "initial_conversation default_to_current_conversation response_url_enabled filter",
    "multi_static_select": "initial_options options option_groups max_selected_items",
    "multi_external_select": "initial_options min_query_length max_selected_items",
    "multi_users_select": "initial_users max_selected_items",
    "multi_channels_select": "initial_channels max_selected_items",
    "multi_conversations_select": "initial_conversations default_to_current_conversation max_selected_items filter",
}
_INPUTS = {
    "plain_text_input": "initial_value multiline min_length max_length dispatch_action_config",
    "email_text_input": "initial_value dispatch_action_config",
    "url_text_input": "initial_value dispatch_action_config",
    "number_input": "is_decimal_allowed initial_value min_value max_value dispatch_action_config",
    "rich_text_input": "initial_value dispatch_action_config",
}
_CHOICES = {"checkboxes": "initial_options", "radio_buttons": "initial_option"}
_PICKERS = {
    "datepicker": "initial_date placeholder",
    "timepicker": "initial_time placeholder timezone",
    "datetimepicker": "initial_date_time",
}
IN_ACTIONS = {"button", "overflow", "workflow_button", *_SELECTS, *_CHOICES, *_PICKERS} - {"file_input"}
IN_SECTION = {*IN_ACTIONS, "image"}
IN_INPUT = {*_SELECTS, *_CHOICES, *_PICKERS, *_INPUTS, "file_input"}


def check_element(findings: Findings, element: Json, path: str, allowed: set[str]) -> None:
    kind = element.get("type")
    if kind not in allowed:
        findings.add(f"unsupported type: {kind}", f"{path}/type")
        return
    if "action_id" in element:
        findings.length(element["action_id"], f"{path}/action_id", 255)
    if "confirm" in element:
        check_confirm(findings, element["confirm"], f"{path}/confirm")
    if "placeholder" in element:
        findings.text(element["placeholder"], f"{path}/placeholder", 150)
    findings.flag(element, path, "focus_on_load")
    _CHECKS[kind](findings, element, path)


def check_image(findings: Findings, item: Json, path: str, optional: str = "") -> None:
    """An image, as a block or as an element: alt text, and exactly one of an address and an uploaded file."""
    if findings.fields(item, path, "alt_text", f"image_url slack_file {optional}"):
        findings.length(item["alt_text"], f"{path}/alt_text", 2000)
    sources = [name for name in ("image_url", "slack_file") if name in item]
    if len(sources) != 1:
        findings.add("must provide exactly one of image_url and slack_file", path)
    if isinstance(item.get("image_url"), str):
        findings.length(item["image_url"], f"{path}/image_url", 3000)
        if not item["image_url"].startswith(("https://", "http://")):
            findings.add("invalid url", f"{path}/image_url")
    file = item.get("slack_file")
    if "slack_file" in item and not (isinstance(file, dict) and len({"id", "url"} & file.keys()) == 1):
        findings.add("must provide exactly one of id and url", f"{path}/slack_file")


def check_confirm(findings: Findings, confirm: object, path: str) -> None:
    if not isinstance(confirm, dict):
        findings.add("must provide an object", path)
        return
    if findings.fields(confirm, path, "title text confirm deny", "style"):
        findings.text(confirm["title"], f"{path}/title", 100)
        findings.text(confirm["text"], f"{path}/text", 300, ANY_TEXT)
        findings.text(confirm["confirm"], f"{path}/confirm", 30)
        findings.text(confirm["deny"], f"{path}/deny", 30)
    findings.one_of(confirm, path, "style", ("primary", "danger"))


def check_options(findings: Findings, value: object, path: str, most: int, text_kinds: tuple[str, ...]) -> list[Json]:
    options = findings.objects(value, path, most)
    for place, option in options:
        if findings.fields(option, place, "text value", "description url"):
            findings.text(option["text"], f"{place}/text", 75, text_kinds)
            findings.length(option["value"], f"{place}/value", 150)
        if "description" in option:
            findings.text(option["description"], f"{place}/description", 75, text_kinds)
        findings.strings(option, place, {"url": 3000})
    return [option for _, option in options]


def _button(findings: Findings, element: Json, path: str) -> None:
    if findings.fields(element, path, "text", "action_id url value style confirm accessibility_label"):
        findings.text(element["text"], f"{path}/text", 75)
    findings.strings(element, path, {"url": 3000, "value": 2000, "accessibility_label": 75})
    findings.one_of(element, path, "style", ("primary", "danger"))


def _overflow(findings: Findings, element: Json, path: str) -> None:
    if findings.fields(element, path, "options", "action_id confirm"):
        check_options(findings, element["options"], f"{path}/options", 5, ("plain_text",))


def _select(findings: Findings, element: Json, path: str) -> None:
    kind = element["type"]
    findings.fields(element, path, "", f"action_id confirm placeholder focus_on_load {_SELECTS[kind]}")
    most = element.get("max_selected_items")
    if most is not None and not (isinstance(most, int) and most >= 1):
        findings.add("must be greater than 0", f"{path}/max_selected_items")
    if not kind.endswith("static_select"):
        return
    if ("options" in element) == ("option_groups" in element):
        findings.add("must provide exactly one of options and option_groups", path)
        return
    if "options" in element:
        options = check_options(findings, element["options"], f"{path}/options", 100, ("plain_text",))
    else:
        options = []
        for place, group in findings.objects(element["option_groups"], f"{path}/option_groups", 100):
            if findings.fields(group, place, "label options"):
                findings.text(group["label"], f"{place}/label", 75)
                options += check_options(findings, group["options"], f"{place}/options", 100, ("plain_text",))
    _initial_is_an_option(findings, element, path, options)


def _choices(findings: Findings, element: Json, path: str) -> None:
    optional = f"action_id confirm focus_on_load {_CHOICES[element['type']]}"
    if findings.fields(element, path, "options", optional):
        options = check_options(findings, element["options"], f"{path}/options", 10, ANY_TEXT)
        _initial_is_an_option(findings, element, path, options)


def _initial_is_an_option(findings: Findings, element: Json, path: str, options: list[Json]) -> None:
    """What is chosen at first must equal one of the options, field for field."""
    if "initial_option" in element and element["initial_option"] not in options:
        findings.add("must match one of the provided options", f"{path}/initial_option")
    for place, option in (
        findings.objects(element["initial_options"], f"{path}/initial_options", 100)
        if "initial_options" in element
        else []
    ):
        if option not in options:
            findings.add("must match one of the provided options", place)


def _picker(findings: Findings, element: Json, path: str) -> None:
    findings.fields(element, path, "", f"action_id confirm focus_on_load {_PICKERS[element['type']]}")
    if "initial_date" in element:
        try:
            date.fromisoformat(element["initial_date"])
        except (TypeError, ValueError):
            findings.add("invalid date", f"{path}/initial_date")
    if "initial_time" in element and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(element["initial_time"])):
        findings.add("invalid time", f"{path}/initial_time")
    if "initial_date_time" in element and not isinstance(element["initial_date_time"], int):
        findings.add("must be an integer", f"{path}/initial_date_time")


def _text_input(findings: Findings, element: Json, path: str) -> None:
    kind = element["type"]
    required = "is_decimal_allowed" if kind == "number_input" else ""
    findings.fields(element, path, required, f"action_id placeholder focus_on_load {_INPUTS[kind]}")
    for name in ("min_length", "max_length"):
        findings.number(element, path, name, 0 if name == "min_length" else 1, 3000)
    if kind != "rich_text_input" and "initial_value" in element:
        findings.length(element["initial_value"], f"{path}/initial_value", 3000, least=0)
    for name in ("min_value", "max_value"):
        if name in element and not isinstance(element[name], str):
            findings.add("must provide a string", f"{path}/{name}")


def _file_input(findings: Findings, element: Json, path: str) -> None:
    findings.fields(element, path, "", "action_id filetypes max_files")


def _workflow_button(findings: Findings, element: Json, path: str) -> None:
    if findings.fields(element, path, "text workflow", "action_id style accessibility_label"):
        findings.text(element["text"], f"{path}/text", 75)


def _feedback(findings: Findings, element: Json, path: str) -> None:
    if findings.fields(element, path, "positive_button negative_button", "action_id"):
        for name in ("positive_button", "negative_button"):
            button, place = element[name], f"{path}/{name}"
            if not isinstance(button, dict):
                findings.add("must provide an object", place)
            elif findings.fields(button, place, "text value", "accessibility_label"):
                findings.text(button["text"], f"{place}/text", 75)
                findings.strings(button, place, {"value": 2000, "accessibility_label": 75})


def _icon_button(findings: Findings, element: Json, path: str) -> None:
    if findings.fields(element, path, "icon text", "action_id value confirm accessibility_label visible_to_user_ids"):
        findings.text(element["text"], f"{path}/text", 75)
        findings.one_of(element, path, "icon", ("trash",))
    findings.strings(element, path, {"value": 2000, "accessibility_label": 75})


_CHECKS: dict[str, Callable[[Findings, Json, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "workflow_button": _workflow_button,
    "feedback_buttons": _feedback,
    "icon_button": _icon_button,
    "file_input": _file_input,
    "image": check_image,
    **dict.fromkeys(_SELECTS, _select),
    **dict.fromkeys(_CHOICES, _choices),
    **dict.fromkeys(_PICKERS, _picker),
    **dict.fromkeys(_INPUTS, _text_input),
}
