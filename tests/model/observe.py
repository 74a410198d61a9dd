"""What a database shows and what the model expects of it, in the same form."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from scout_core.job.refresh import Plan
from tests.model.evidence import list_pieces
from tests.model.persons import list_states, snapshot
from tests.model.quality import list_issues
from tests.model.refresh import after_refresh
from tests.model.world import SCOUTING, World

Rows = list[tuple[Any, ...]]
Query = Callable[[str], Rows]
LABELS = {
    "A": "EVENTOS_SIN_SCOUT",
    "C": "LEGACY",
    "D": "SCOUT_EN_EVENTOS_NO_PROPAGADO",
}

QUERIES = {
    "raw": """
        select person_key::text, scout_id, origin_tag, acquisition_method, source_table,
            source_pk::text, attribution_date::text,
            to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), priority
        from ops.v_scout_attribution_raw""",
    "attribution": """
        select person_key::text, scout_id, source_table, source_pk::text, attribution_date::text,
            priority, is_conflict
        from ops.v_scout_attribution""",
    "conflicts": """
        select person_key::text, conflict_kind, array_to_string(scout_ids, ','),
            distinct_scout_count, ledger_scout_id, total_sources, array_to_string(sources, ',')
        from ops.v_scout_attribution_conflicts""",
    "backlog": """
        select person_key::text, category, category_label, reason_code, event_count, is_conflict,
            scout_id, first_event_date::text, last_event_date::text
        from ops.v_persons_without_scout_categorized""",
    "snapshot": """
        select total_persons, persons_with_scout_satisfactory, pct_scout_satisfactory::text,
            persons_missing_scout, conflicts_count, backlog_a_events_without_scout,
            backlog_d_scout_in_events_not_in_ledger, backlog_c_legacy_no_events_no_ledger,
            lead_persons, pct_scout_satisfactory_leads::text
        from ops.v_scout_attribution_metrics_snapshot""",
    "registry": "select person_key::text, primary_license, primary_phone"
    " from canon.identity_registry",
    "links": "select source_table, source_pk, person_key::text, match_rule, match_score,"
    " confidence_level::text from canon.identity_links",
    "unmatched": "select source_pk, reason_code, status::text from canon.identity_unmatched",
    "ledger": """
        select person_key::text, attributed_scout_id, attribution_rule, attributed_source,
            attribution_score::text, confidence_level::text, decision_status::text
        from observational.lead_ledger""",
    "ledger audit": """
        select row_number() over (partition by person_key order by id)::integer, person_key::text,
            old_attributed_scout_id, new_attributed_scout_id, backfill_method
        from ops.lead_ledger_scout_backfill_audit""",
    "link audit": "select source_pk, action_type from ops.identity_links_backfill_audit",
    "issues": "select distinct rule, source_table, source_pk from scout.v_source_issues",
}


def _order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: tuple(str(value) for value in row))


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def observe(query: Query) -> dict[str, Rows]:
    """The rows of every view and table that the model speaks of."""
    return {name: _order(query(sql)) for name, sql in QUERIES.items()}


def expected(world: World) -> dict[str, Rows]:
    """The same rows as the model has them."""
    states = list_states(world)
    found = {
        "raw": [
            (p.person_key, p.scout_id, p.origin_tag, p.acquisition_method, p.source_table,
             p.source_pk, p.attribution_date, _moment(p.created_at), p.priority)
            for p in list_pieces(world)
        ],
        "attribution": [
            (s.person_key, p.scout_id, p.source_table, p.source_pk, p.attribution_date, p.priority,
             s.conflict_kind is not None)
            for s in states.values() if (p := s.canonical) is not None
        ],
        "conflicts": [
            (s.person_key, s.conflict_kind, ",".join(map(str, s.conflict_scout_ids)),
             len(s.conflict_scout_ids), world.ledger_scout(s.person_key), s.piece_count,
             ",".join(s.source_tables))
            for s in states.values() if s.conflict_kind is not None
        ],
        "backlog": [
            (s.person_key, s.category, LABELS[s.category], s.reason_code, s.event_count,
             s.conflict_kind is not None,
             *(s.event_scouts if len(s.event_scouts) == 1 else [None]),
             min(s.event_days, default=None), max(s.event_days, default=None))
            for s in states.values() if s.category is not None
        ],
        "snapshot": [tuple(None if v is None else v if isinstance(v, int) else str(v)
                           for v in snapshot(world).values())],
        "registry": [(p.key, p.license, p.phone) for p in world.persons.values()],
        "links": [
            (k.source_table, k.source_pk, k.person_key, k.rule, k.score, k.confidence)
            for k in world.links.values()
        ],
        "unmatched": [(pk, u.reason, u.status) for pk, u in world.unmatched.items()],
        "ledger": [
            (r.person_key, r.scout_id, r.rule, r.source, r.score, r.confidence, r.status)
            for r in world.ledger.values()
        ],
        "ledger audit": _numbered_audit(world),
        "link audit": list(world.link_audit),
        "issues": list(list_issues(world)),
    }  # fmt: skip
    return {name: _order(rows) for name, rows in found.items()}


def _numbered_audit(world: World) -> Rows:
    """The audit rows of the ledger, numbered for each person in their order."""
    rows: Rows = []
    for person_key in {a.person_key for a in world.audit}:
        own = sorted((a for a in world.audit if a.person_key == person_key), key=lambda a: a.seq)
        rows += [(n, person_key, a.old, a.new, a.method) for n, a in enumerate(own, start=1)]
    return rows


def differences(shown: dict[str, Rows], wanted: dict[str, Rows]) -> list[str]:
    """One line for each row that only one side has."""
    lines = []
    for name, rows in wanted.items():
        for row in shown[name]:
            if shown[name].count(row) > rows.count(row):
                lines.append(f"{name}: only the database has {row}")
        for row in rows:
            if rows.count(row) > shown[name].count(row):
                lines.append(f"{name}: only the model has {row}")
    return sorted(set(lines))


def planned_by_product(plan: Plan) -> dict[str, Rows]:
    """What the plan says a run would change."""
    changed = {link.source_pk for link in plan.links if link.is_new_reason}
    return {
        "links": _order(
            [
                (p.source_pk, str(p.person_key), p.match_rule, p.is_new_person)
                for p in plan.links
                if p.outcome == "LINK"
            ]
        ),
        "reasons": _order(
            [(p.source_pk, p.reason_code) for p in plan.links if p.source_pk in changed]
        ),
        "scouts": _order([(str(p.person_key), p.scout_id, p.has_ledger_row) for p in plan.scouts]),
    }


def planned_by_model(world: World) -> dict[str, Rows]:
    """What a run of the model would change."""
    later = after_refresh(world)
    return {
        "links": _order(
            [
                (pk, link.person_key, link.rule, link.rule == "BACKFILL_NEW_PERSON")
                for (table, pk), link in later.links.items()
                if table == SCOUTING and link != world.links.get((table, pk))
            ]
        ),
        "reasons": _order(
            [
                (pk, row.reason)
                for pk, row in later.unmatched.items()
                if row.status == "OPEN" and row != world.unmatched.get(pk)
            ]
        ),
        "scouts": _order(
            [
                (a.person_key, a.new, a.person_key in world.ledger)
                for a in later.audit[len(world.audit) :]
            ]
        ),
    }
