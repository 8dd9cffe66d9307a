"""Who may see what: every query carries a scope, and no query runs without one."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of one workspace's deals that the asker may see.

    A row is visible when `everything` is true, or its owner is one of `people`, or its owner's team on its day is one
    of `teams` (teams below included by whoever builds the scope). Ids are `person.id` and `team.id`.
    """

    workspace_id: str
    everything: bool = False
    people: frozenset[str] = field(default_factory=frozenset)
    teams: frozenset[str] = field(default_factory=frozenset)
