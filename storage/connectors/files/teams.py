"""Teams, from what people's rows say of them."""

from collections.abc import Sequence

from storage import records
from storage.connectors.files.cells import Bad
from storage.connectors.files.drafts import Draft
from storage.connectors.files.names import Names
from storage.records import Mention


def teams_of(drafts: Sequence[Draft], names: Names) -> tuple[dict[str, records.Team], list[Mention]]:
    """The teams that these people are in, by ext id, and the managers who have no row of their own."""
    teams: dict[str, records.Team] = {}
    mentions: list[Mention] = []
    parents: dict[str, str] = {}
    managers: dict[str, str] = {}
    for draft in drafts:
        if not isinstance(draft.record, records.Person) or draft.record.team is None:
            continue
        team = draft.record.team
        teams.setdefault(team, records.Team(ext_id=team, name=team))
        if parent := draft.text("parent"):
            parents.setdefault(team, parent)
        if manager := draft.text("manager"):
            managers.setdefault(team, manager)
    for parent in list(parents.values()):
        teams.setdefault(parent, records.Team(ext_id=parent, name=parent))
    for team in teams:
        manager_id = None
        if team in managers and not isinstance(found := names.resolve("person", managers[team]), Bad):
            manager_id, mention = found
            mentions += [mention] if mention else []
        teams[team] = records.Team(ext_id=team, name=team, parent=parents.get(team), manager=manager_id)
    return teams, mentions
