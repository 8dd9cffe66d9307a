"""Deals: what they say of their outcome, and what is odd about their days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from storage import records
from storage.connectors.files.builder import Builder, moment
from storage.connectors.files.drafts import Draft, local_day
from storage.connectors.files.headers import fold
from storage.connectors.files.statuses import KINDS, STATUSES, Status, kind_of, stage_of
from storage.problems import Reason
from storage.records import When

_BLANK_IS_OPEN = {"result", "resultat", "outcome", "issue", "won lost", "gagne perdu"}
"""Columns that say how a deal ended: blank while it has not."""


def deal(builder: Builder, draft: Draft, ext_id: str) -> records.Deal:
    status, raw = _status(builder, draft)
    if status == "open":
        _keep_plans(draft)
    stage, pipeline = _stage(builder, draft)
    lead = builder.reference(draft, "lead", "lead")
    created = draft.when("created")
    if created is None and lead is not None and builder.one.declared.created_from_lead:
        created = builder.names.lead_created.get(lead)
    closed = _closed(builder, draft, status)
    _check_days(builder, draft, created, closed, status)
    minor, currency = builder.amount(draft)
    kind = draft.text("kind")
    known_kind = None if kind is None else kind_of(kind, KINDS)
    if kind is not None and known_kind is None:
        builder.unknown_kinds[kind] += 1
    return records.Deal(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        deleted=draft.flag("deleted") or False,
        name=builder.name(draft, ext_id),
        status=status or "open",
        raw_status=raw,
        kind=known_kind,
        customer=builder.reference(draft, "customer", "customer"),
        owner=builder.reference(draft, "owner", "person"),
        product=builder.reference(draft, "product", "product"),
        pipeline=pipeline,
        stage=stage,
        lead=lead,
        segment=draft.text("segment"),
        origin=draft.text("origin"),
        amount_minor=minor,
        currency=currency,
        created=created,
        closed=closed,
    )


def _status(builder: Builder, draft: Draft) -> tuple[Status | None, str | None]:
    """The status and the word that said it."""
    said, stage = draft.text("status"), draft.text("stage")
    if said is not None:
        # One column may say both: the stage while the deal is open, then how it ended.
        found = stage_of(said, builder.statuses)[0]
        if found is None:
            _unknown_status(builder, draft, "status", said)
        return found, said
    if stage is not None and (found := stage_of(stage, builder.statuses)[0]) is not None:
        return found, stage
    if "won_on" in draft.values or "lost_on" in draft.values:
        return ("won" if "won_on" in draft.values else "lost"), None
    column = builder.one.column("status")
    if column is not None:
        if fold(column.match.header) in _BLANK_IS_OPEN:
            return "open", None
        draft.set_aside(Reason.STATUS_MISSING, "status", column=column.match.header)
    elif stage is not None:
        _unknown_status(builder, draft, "stage", stage)
    elif builder.one.column("stage") is not None:
        draft.set_aside(Reason.STATUS_MISSING, "stage", column=builder.header("stage"))
    else:
        return "open", None
    return None, stage


def _keep_plans(draft: Draft) -> None:
    """The closing date of an open deal is a plan, and not used: one that cannot be read costs the deal nothing."""
    draft.problems = [
        replace(problem, kept=True) if problem.field in ("closed", "won_on", "lost_on") else problem
        for problem in draft.problems
    ]
    draft.aside = any(not problem.kept for problem in draft.problems)


def _unknown_status(builder: Builder, draft: Draft, name: str, said: str) -> None:
    draft.set_aside(Reason.STATUS_UNKNOWN, name, said=said, column=builder.header(name), known=", ".join(STATUSES))


def _stage(builder: Builder, draft: Draft) -> tuple[str | None, str | None]:
    pipeline = builder.reference(draft, "pipeline", "pipeline")
    stage = draft.text("stage")
    return (stage and _stage_id(stage, pipeline)), pipeline


def _closed(builder: Builder, draft: Draft, status: Status | None) -> When | None:
    closed = draft.when("closed")
    if status == "won":
        return draft.when("won_on") or closed
    if status == "lost":
        # A table with one column for the end of its deals calls it what it hopes for: a day of signature.
        only = builder.one.column("closed") is None and builder.one.column("lost_on") is None
        return draft.when("lost_on") or closed or (draft.when("won_on") if only else None)
    if status == "dormant":
        return closed
    builder.planned += closed is not None
    return None


def _check_days(
    builder: Builder, draft: Draft, created: When | None, closed: When | None, status: Status | None
) -> None:
    if status not in ("won", "lost") or draft.aside:
        return
    first, last = local_day(created, draft.zone), local_day(closed, draft.zone)
    if last is None:
        draft.flag_kept(Reason.CLOSED_MISSING, "closed", status=status)
        return
    if first is not None and last < first:
        draft.flag_kept(Reason.CLOSED_BEFORE_CREATED, "closed", created=first.isoformat(), closed=last.isoformat())
    # A day of grace: the person's day may already have begun.
    if last > builder.today + timedelta(days=1):
        draft.flag_kept(Reason.CLOSED_IN_FUTURE, "closed", closed=last.isoformat())


def _stage_id(stage: str, pipeline: str | None) -> str:
    """The ext id of a stage: names of stages repeat from one pipeline to another."""
    return stage if pipeline is None else f"{pipeline} / {stage}"


def stages_of(drafts: Sequence[Draft], statuses: dict[str, Status]) -> dict[str, records.Stage]:
    """The stages that these deals name, by ext id; place and status depend on the word alone."""
    stages: dict[str, records.Stage] = {}
    for draft in drafts:
        deal, word = draft.record, draft.text("stage")
        if isinstance(deal, records.Deal) and deal.stage is not None and word is not None and deal.stage not in stages:
            status, position = stage_of(word, statuses)
            stages[deal.stage] = records.Stage(
                ext_id=deal.stage, name=word, pipeline=deal.pipeline, position=position, status=status or "open"
            )
    return stages
