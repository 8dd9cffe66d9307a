"""What Vigie makes of files, in the reader's language: objects, fields, how each column was understood, what waits."""

from bot.i18n import Language
from storage.connectors.files.amounts import AmountStyle
from storage.connectors.files.dates import DateStyle
from storage.connectors.files.mapping import MappingProblemError
from storage.connectors.files.reading import FileProblemError
from storage.connectors.files.understand import Column, Understanding


def object_name(object_: str, language: Language) -> str:
    """The plural name of an object: deals, « affaires »."""
    _ = language._
    names = {
        "team": _("teams"),
        "person": _("people"),
        "product": _("products"),
        "customer": _("customers"),
        "lead": _("leads"),
        "pipeline": _("pipelines"),
        "stage": _("stages"),
        "deal": _("deals"),
        "contract": _("contracts"),
        "purchase": _("purchases"),
        "spend": _("spend"),
        "rate": _("exchange rates"),
        "files": _("files"),
    }
    return names.get(object_, object_)


def field_name(field: str, language: Language) -> str:
    _ = language._
    names = {
        "id": _("identifier"),
        "name": _("name"),
        "first_name": _("first name"),
        "status": _("status"),
        "stage": _("stage"),
        "pipeline": _("pipeline"),
        "customer": _("customer"),
        "owner": _("owner"),
        "product": _("product"),
        "lead": _("lead"),
        "segment": _("segment"),
        "origin": _("source"),
        "region": _("region"),
        "amount": _("amount"),
        "currency": _("currency"),
        "created": _("creation date"),
        "closed": _("closing date"),
        "won_on": _("date won"),
        "lost_on": _("date lost"),
        "kind": _("kind"),
        "modified": _("last modification"),
        "qualified_on": _("qualification date"),
        "qualified": _("qualified"),
        "inbound": _("inbound"),
        "converted": _("converted"),
        "converted_on": _("conversion date"),
        "email": _("e-mail"),
        "team": _("team"),
        "manager": _("manager"),
        "parent": _("parent team"),
        "active": _("active"),
        "deleted": _("deleted"),
        "starts_on": _("start"),
        "ends_on": _("end"),
        "purchased": _("purchase date"),
        "month": _("month"),
        "base": _("base currency"),
        "rate": _("exchange rate"),
    }
    return names.get(field, field)


def column_note(column: Column, language: Language) -> str:
    """How the column is read: how it was recognised, and what decided its format."""
    _, style, notes = language._, column.style, []
    if column.match.how == "near":
        notes.append(_("nearly the usual spelling"))
    elif column.match.how == "mapping":
        notes.append(_("by the mapping"))
    if isinstance(style, DateStyle):
        if style.order is not None:
            words = _("day first") if style.order == "dmy" else _("month first")
            if style.from_column is not None:
                notes.append(_("{order}, as in “{column}”", order=words, column=style.from_column))
            elif style.sample is not None:
                notes.append(_("{order}, because of {sample}", order=words, sample=style.sample))
            else:
                notes.append(words)
        elif style.counting is not None:
            notes.append(_("counted in days or seconds"))
        elif not style.unsure:
            notes.append(_("can be read in one way only"))
    elif isinstance(style, AmountStyle) and style.decimal is not None and not style.unsure:
        mark = _("decimal point") if style.decimal == "." else _("decimal comma")
        notes.append(mark if style.sample is None else _("{mark}, because of {sample}", mark=mark, sample=style.sample))
    return "; ".join(notes)


def row_kind(kind: str, language: Language) -> str:
    _ = language._
    names = {
        "blank": _("blank"),
        "title": _("title"),
        "header": _("headers"),
        "repeated_header": _("headers again"),
        "total": _("total"),
        "footer": _("footer"),
    }
    return names[kind]


def left_alone_sentence(one: Understanding, language: Language) -> str:
    """Why nothing of this sheet is data."""
    _ = language._
    if not any(any(cell != "" for cell in row) for row in one.sheet.rows):
        return _("Empty.")
    if one.declared.object == "none":
        return _("Left alone, as the mapping says.")
    if one.sheet.hidden:
        return _(
            "A hidden sheet, left alone; to load it, name it in a mapping file with its object: "
            '[files."{place}"] object = "deal".',
            place=one.place,
        )
    return _("Not data that Vigie loads: no column says deals, customers, leads or the like.")


def held_sentence(one: Understanding, language: Language) -> str:
    """Why nothing of this table was loaded, and what to write in the mapping file."""
    _, about = language._, (*one.about, "", "")
    match one.held:
        case "date_order":
            return _(
                "Nothing in the column “{column}” says whether {sample} is written day first or month first: put "
                'date_order = "dmy" or date_order = "mdy" in a mapping file.',
                column=about[0],
                sample=about[1],
            )
        case "decimal":
            return _(
                "Nothing in the column “{column}” says whether the sign in {sample} separates thousands or decimals: "
                'put decimal = "," or decimal = "." in a mapping file.',
                column=about[0],
                sample=about[1],
            )
        case "object_unclear":
            return _(
                "This table may hold {first} or {second}: say which with object = … in a mapping file.",
                first=object_name(about[0], language),
                second=object_name(about[1], language),
            )
        case "status_absent":
            return _(
                "No column says whether each deal is open, won or lost: name it in a mapping file, under columns, as "
                "status or stage."
            )
        case _:
            return _(
                "A column is missing, one of: {fields}. Name it in a mapping file, under columns.",
                fields=", ".join(field_name(name, language) for name in about if name),
            )


def failure_sentence(failure: FileProblemError | MappingProblemError, language: Language) -> str:
    """A file or a mapping that cannot be used: which, why, and what would do."""
    _, told = language._, failure.details
    match failure.reason:
        case "directory_empty":
            return _("The folder {path} holds no CSV or Excel file.", path=told["path"])
        case "file_absent":
            return _("There is no file {path}.", path=told["path"])
        case "file_kind":
            return _("{path} is no file that Vigie reads; it reads {known}.", path=told["path"], known=told["known"])
        case "file_unreadable":
            return _("{path} cannot be read ({cause}).", path=told["path"], cause=told["cause"])
        case "file_not_text":
            return _("{path} is no text that can be read: save it as CSV in UTF-8.", path=told["path"])
        case "mapping_absent":
            return _("There is no mapping file {path}.", path=told["path"])
        case "mapping_not_toml":
            return _("{path} is not valid TOML ({cause}).", path=told["path"], cause=told["cause"])
        case "mapping_key":
            where = f"{told['path']} [{told['where']}]" if told["where"] else told["path"]
            if told["nearest"]:
                return _(
                    "{where}: “{key}” is not known; did you mean “{nearest}”? Known: {known}.",
                    where=where,
                    key=told["key"],
                    nearest=told["nearest"],
                    known=told["known"],
                )
            return _(
                "{where}: “{key}” is not known. Known: {known}.", where=where, key=told["key"], known=told["known"]
            )
        case "file_html":
            return _(
                "{path} is a web page under the name of a table: open it in a spreadsheet and save it as .xlsx or CSV.",
                path=told["path"],
            )
        case "mapping_header_row":
            return _(
                "{place} has only {rows} rows: header_row = {said} is beyond its end.",
                place=told["place"],
                rows=told["rows"],
                said=told["said"],
            )
        case "mapping_column" if not told["nearest"]:
            return _(
                "{place} has no column “{said}” (for {field}). Its columns: {known}.",
                place=told["place"],
                said=told["said"],
                field=field_name(told["field"], language),
                known=told["known"],
            )
        case "mapping_column":
            return _(
                "{place} has no column “{said}” (for {field}); did you mean “{nearest}”?",
                place=told["place"],
                said=told["said"],
                field=field_name(told["field"], language),
                nearest=told["nearest"],
            )
        case "mapping_constant":
            return _(
                "{place}: “{said}” cannot be read as {field}.",
                place=told["place"],
                said=told["said"],
                field=field_name(told["field"], language),
            )
        case _ if not told["known"]:
            return _("{path}: {key} cannot be “{said}”.", path=told["path"], key=told["key"], said=told["said"])
        case _:
            return _(
                "{path}: {key} cannot be “{said}”; it can be {known}.",
                path=told["path"],
                key=told["key"],
                said=told["said"],
                known=told["known"],
            )
