"""Tables and charts of Block Kit, as Slack would refuse them."""

import math
from itertools import pairwise

from bot.playground.checking import Findings
from bot.playground.records import Json
from bot.playground.rich_text_check import check_rich_text

COLUMNS_MAX = 20
TABLE_CHARACTERS_MAX = 10_000
LABEL_MAX = 20
SERIES_MAX, POINTS_MAX, SEGMENTS_MAX = 6, 20, 6


def check_table(findings: Findings, block: Json, path: str) -> None:
    if not findings.fields(block, path, "rows", "block_id column_settings"):
        return
    _rows(findings, block["rows"], f"{path}/rows", most=100, least=1)
    settings = block.get("column_settings")
    if settings is None:
        return
    for place, setting in findings.items(settings, f"{path}/column_settings", COLUMNS_MAX):
        if setting is None:
            continue
        if not isinstance(setting, dict):
            findings.add("must provide an object", place)
            continue
        findings.fields(setting, place, "", "align is_wrapped")
        findings.one_of(setting, place, "align", ("left", "center", "right"))
        findings.flag(setting, place, "is_wrapped")


def check_data_table(findings: Findings, block: Json, path: str) -> None:
    if not findings.fields(block, path, "rows caption", "block_id page_size row_header_column_index"):
        return
    findings.length(block["caption"], f"{path}/caption", 3000)
    findings.number(block, path, "page_size", 1, 100)
    findings.number(block, path, "row_header_column_index", 0, COLUMNS_MAX - 1)
    rows = _rows(findings, block["rows"], f"{path}/rows", most=101, least=2)
    for index, cell in enumerate(rows[0] if rows else ()):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            findings.add("header cells must not be rich_text", f"{path}/rows/0/{index}")


def _rows(findings: Findings, value: object, path: str, *, most: int, least: int) -> list[list[Json]]:
    """The rows, all as wide as the first, every cell of a kind that Slack knows."""
    rows: list[list[Json]] = []
    characters = 0
    for place, row in findings.items(value, path, most, least):
        cells = findings.objects(row, place, COLUMNS_MAX)
        for spot, cell in cells:
            characters += _cell(findings, cell, spot)
        rows.append([cell for _, cell in cells])
    if any(len(first) != len(second) for first, second in pairwise(rows)):
        findings.add("every row must have the same number of cells", path)
    if characters > TABLE_CHARACTERS_MAX:
        findings.add(f"no more than {TABLE_CHARACTERS_MAX} characters allowed in all cells", path)
    return rows


def _cell(findings: Findings, cell: Json, path: str) -> int:
    """Check one cell; the number of its characters."""
    kind = cell.get("type")
    if kind == "rich_text":
        check_rich_text(findings, cell, path)
        return len(str(cell.get("elements", "")))
    if kind == "raw_text":
        findings.fields(cell, path, "text")
    elif kind == "raw_number":
        # Both SDKs ask for the text beside the number.
        if findings.fields(cell, path, "value text") and not _finite(cell["value"]):
            findings.add("must be a finite number", f"{path}/value")
    else:
        findings.add(f"unsupported type: {kind}", f"{path}/type")
        return 0
    findings.length(cell.get("text"), f"{path}/text", TABLE_CHARACTERS_MAX)
    return len(str(cell.get("text", "")))


def check_chart(findings: Findings, block: Json, path: str) -> None:
    if not findings.fields(block, path, "title chart", "block_id"):
        return
    findings.length(block["title"], f"{path}/title", 50)
    chart, place = block["chart"], f"{path}/chart"
    if not isinstance(chart, dict):
        findings.add("must provide an object", place)
    elif chart.get("type") == "pie":
        if findings.fields(chart, place, "segments"):
            for spot, segment in findings.objects(chart["segments"], f"{place}/segments", SEGMENTS_MAX):
                if _point(findings, segment, spot) and segment["value"] <= 0:
                    findings.add("must be greater than 0", f"{spot}/value")
    elif chart.get("type") in {"line", "bar", "area"}:
        if findings.fields(chart, place, "series axis_config"):
            _series(findings, chart, place)
    else:
        findings.add(f"unsupported type: {chart.get('type')}", f"{place}/type")


def _series(findings: Findings, chart: Json, path: str) -> None:
    axis, place = chart["axis_config"], f"{path}/axis_config"
    if not isinstance(axis, dict):
        findings.add("must provide an object", place)
        return
    findings.fields(axis, place, "categories", "x_label y_label")
    findings.strings(axis, place, {"x_label": 50, "y_label": 50})
    categories = []
    for spot, category in findings.items(axis.get("categories"), f"{place}/categories", POINTS_MAX):
        findings.length(category, spot, LABEL_MAX)
        categories.append(category)
    if len(set(map(str, categories))) < len(categories):
        findings.add("categories must be unique", f"{place}/categories")
    names: list[str] = []
    for spot, series in findings.objects(chart["series"], f"{path}/series", SERIES_MAX):
        if not findings.fields(series, spot, "name data"):
            continue
        findings.length(series["name"], f"{spot}/name", LABEL_MAX)
        names.append(str(series["name"]))
        points = findings.objects(series["data"], f"{spot}/data", POINTS_MAX)
        for here, point in points:
            _point(findings, point, here)
        if sorted(str(point.get("label")) for _, point in points) != sorted(map(str, categories)):
            findings.add("labels must match the categories one to one", f"{spot}/data")
    if len(set(names)) < len(names):
        findings.add("series names must be unique", f"{path}/series")


def _point(findings: Findings, point: Json, path: str) -> bool:
    if not findings.fields(point, path, "label value"):
        return False
    findings.length(point["label"], f"{path}/label", LABEL_MAX)
    if not _finite(point["value"]):
        findings.add("must be a finite number", f"{path}/value")
        return False
    return True


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
