"""The view of one person: why this scout or why none, what next, and everything that happened."""

from datetime import date, datetime
from typing import Any

import streamlit as st

from scout_core.alerts import register
from scout_core.attribution import person_history, person_search
from scout_core.attribution import stakes as money
from scout_core.attribution.person_history import Conclusion, Story
from scout_core.attribution.person_search import Found, Identity, PersonClaim
from scout_core.attribution.stakes import Money
from scout_core.errors import BadInput, NotFound
from ui.alerts import view
from ui.decide import form, move, review
from ui.parts import frame, link, lists, read, site, tables
from ui.parts.tables import Column
from ui.parts.text import (
    LIMA,
    NOTHING,
    ago,
    clean,
    full_day,
    moment,
    number,
    plain,
    refusal,
    short_day,
    t,
)
from ui.parts.text import (
    money as soles,
)
from ui.person import history, lanes
from ui.person.phrases import NAMED_SCOUTS, Names, scout_words

AUDIT_ROWS = 50
SCOUTING = "public.module_ct_scouting_daily"


def show(page: frame.Page) -> None:
    """What was searched, else the person or row of the address, else the rows to review."""
    wanted = _search(page)
    form.notice()
    if wanted:
        _show_found(wanted)
        return
    key = _key()
    if key is None:
        if row := link.value(review.ROW):
            review.row_card(page.actor, row)
        else:
            frame.empty(t("persona.not_chosen"), t("persona.not_chosen_hint"))
        review.work_list()
        return
    try:
        seen = read.many(
            read.call(person_history.tell, key),
            read.call(person_search.by_key, key),
            read.call(money.by_person, (key,)),
            read.call(person_search.list_claims, key),
            read.call(register.by_person, key, read.NOW),
        )
    except NotFound:
        frame.empty(
            t("persona.unknown_key"), t("persona.unknown_key_hint"), filters=("key", "persona")
        )
        return
    story, identity, stakes, claims, standing = seen.value
    story_key = story.told.state["person_key"]
    names = read.one(money.names_of_scouts, _scouts_of(story)).value
    page.stamp(seen)
    held = stakes.get(story_key, money.NOTHING)
    _state_card(story, held, names, seen.at)
    if (erased_at := story.told.state["erased_at"]) is not None:
        st.info(
            t(
                "persona.erased",
                time=moment(erased_at),
                run=story.told.state["erased_run_id"],
            ),
            icon=":material/person_off:",
        )
    if standing:
        with st.container(border=True, gap="xsmall"):
            frame.card_title(t("alerts.of_person"))
            view.list_of_person(standing)
    _decide(page, story, held)
    rows = sorted({e["source_pk"] for e in story.told.evidence if e["source_table"] == SCOUTING})
    if rows:
        move.move(page.actor, rows, ())
    left, right = st.columns((5, 3))
    with left.container(border=True, gap="xsmall", height="stretch"):
        lanes.show(story, names)
    with right.container(border=True, gap="xsmall", height="stretch"):
        _facts(story, identity, held)
    with st.container(border=True, gap="xsmall"):
        history.show(story, names)
    if claims:
        with st.container(border=True, gap="xsmall"):
            _claims(claims, held)
    with st.container(border=True, gap="xsmall"):
        _audit(story)


def _decide(page: frame.Page, story: Story, held: Money) -> None:
    """Holds with their release, and the form of a decision; a conflict is decided on its card."""
    told = story.told
    form.hold_list(page.actor, told.holds)
    is_decided = told.state["decision_id"] is not None
    if told.state["conflict_kind"] is not None and not is_decided:
        return
    with st.expander(
        t("persona.decision_open" if is_decided else "persona.decision_none"),
        icon=":material/gavel:",
    ):
        form.form(
            page.actor,
            told.state["person_key"],
            told.seen,
            story.conclusion.scout_ids,
            lists.scout_names(),
            paid_pen=held.paid_pen,
            may_reopen=is_decided,
            conflict=told.state["conflict_kind"] is not None,
        )


def _key() -> str | None:
    """The person of the address. Leaving for the conflict of a person, Streamlit notes this page
    under the new filter ?persona= too; the back button leads there."""
    return link.value("key") or link.value("persona")


def _search(page: frame.Page) -> str:
    with page.head:
        wanted = st.text_input(
            t("persona.search"),
            key=f"persona_search_{_turn()}",
            placeholder=t("persona.search_placeholder"),
            icon=":material/search:",
            label_visibility="collapsed",
            autocomplete="off",
            width=240,
        )
        if _key() and st.context.url:
            with st.popover(t("persona.copy_link"), icon=":material/link:"):
                address = st.context.url.partition("?")[0]
                st.code(f"{address}?key={clean(_key())}", language=None, wrap_lines=True)
    return (wanted or "").strip()


def _show_found(wanted: str) -> None:
    try:
        found: Found = read.one(person_search.find, wanted).value
    except BadInput as exc:
        words = t(f"persona.problem_{exc.parameter}") if exc.parameter else refusal(exc)
        st.warning(words, icon=":material/edit:")
        return
    if not found.hits:
        frame.empty(t("persona.found_none"), t("persona.found_none_hint"))
        return
    if len(found.hits) == 1:
        _open(found.hits[0].person_key)
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("persona.found", count=number(len(found.hits))))
        st.caption(
            t("persona.found_more", count=number(len(found.hits)))
            if found.has_more
            else t("persona.found_hint")
        )
        chosen = tables.show(
            [
                Column("person", t("persona.column_person"), pinned=True),
                Column("name", t("persona.column_name")),
                Column("state", t("persona.column_state")),
                Column("phone", t("persona.column_phone")),
                Column("license", t("persona.column_license")),
                Column("matched", t("persona.column_matched")),
            ],
            [
                {
                    "person": hit.person_key[:8],
                    "name": hit.name or NOTHING,
                    "state": _short_state(hit),
                    "phone": hit.phone or NOTHING,
                    "license": hit.license or NOTHING,
                    "matched": t(f"persona.matched_{hit.matched_by}"),
                }
                for hit in found.hits
            ],
            key=f"persona_found_{_turn()}",
            alt=t("persona.found_alt"),
            select=True,
        )
    if chosen is not None:
        _open(found.hits[chosen].person_key)


def _turn() -> int:
    """A number that changes when a person is opened, so that the search is empty again."""
    return int(st.session_state.setdefault("persona_turn", 0))


def _open(person_key: str) -> None:
    st.session_state["persona_turn"] = _turn() + 1
    link.put(key=person_key, persona=None)
    st.rerun()


def _short_state(hit: person_search.Hit) -> str:
    if hit.scout_id is not None:
        name = "persona.scout_in_conflict" if hit.conflict_kind else "persona.lanes_scout"
        return t(name, scout=hit.scout_id)
    return t("persona.no_scout_in_conflict") if hit.conflict_kind else t("persona.no_scout")


def _scouts_of(story: Story) -> tuple[int, ...]:
    audit = story.told.ledger_audit
    seen = {row[name] for row in audit for name in _OLD_AND_NEW} - {None}
    seen |= {row["scout_id"] for row in story.told.decisions} - {None}
    return tuple(sorted({*story.conclusion.scout_ids, *seen}))


_OLD_AND_NEW = ("old_attributed_scout_id", "new_attributed_scout_id")


def _state_card(story: Story, held: Money, names: Names, now: datetime) -> None:
    told, end = story.told.state, story.conclusion
    with st.container(border=True, gap="small"):
        key = f"`{told['person_key'][:8]}`"
        row = st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        )
        row.markdown(" ".join([key, *_badges(end, is_lead=told["is_lead"])]), width="content")
        if end.writer == "RUN" and end.run_id is not None:
            with row:
                site.link_to("runs", t("persona.run_link", run=end.run_id), run=str(end.run_id))
        st.header(_sentence(end, names), anchor=False)
        words = [t("persona.next", action=t(f"persona.next_{end.next_code}"))]
        if held.at_stake_pen and end.conflict_kind:
            since = end.conflict_since
            words.append(
                t(
                    "persona.at_stake_since",
                    money=soles(held.at_stake_pen),
                    since=_since(since, now),
                )
                if since is not None
                else t("persona.at_stake", money=soles(held.at_stake_pen))
            )
        if held.paid_pen:
            words.append(t("persona.already_paid", money=soles(held.paid_pen)))
        st.markdown(" ".join(words))
        if end.conflict_kind is not None and st.button(
            t("persona.decide"), type="primary", icon=":material/gavel:", key="persona_decide"
        ):
            site.go("conflicts", persona=told["person_key"])


def _badges(end: Conclusion, *, is_lead: bool) -> list[str]:
    if end.conflict_kind:
        words = t("persona.in_conflict" if end.scout_id else "persona.no_scout_in_conflict")
        state = f":orange-badge[:material/call_split: {words}]"
    elif end.scout_id is not None:
        words = t("persona.has_scout")
        state = f":green-badge[:material/check_circle: {words}]"
    else:
        words = t("persona.no_scout")
        state = f":gray-badge[:material/person_off: {words}]"
    facts = [t("persona.lead" if is_lead else "persona.not_lead")]
    if end.category:
        facts.insert(0, t("persona.category", category=end.category))
    return [state, *(f":gray-badge[{fact}]" for fact in facts)]


def _sentence(end: Conclusion, names: Names) -> str:
    scouts = t("persona.and").join(map(str, end.scout_ids))
    if end.scout_id is not None:
        scout = scout_words(end.scout_id, names)
        if end.conflict_kind is None:
            return t(
                f"persona.written_{end.writer}", scout=scout, actor=plain(end.actor or NOTHING)
            )
        others = [s for s in end.scout_ids if s != end.scout_id]
        if len(others) > NAMED_SCOUTS:
            return t("persona.contradicts_many", scout=scout, count=number(len(end.scout_ids)))
        joined = t("persona.and").join(map(str, others))
        return t("persona.contradicts", scout=scout, others=joined)
    if end.conflict_kind == "NEW_EVIDENCE":
        return t("persona.decided_but")
    if end.conflict_kind is not None:
        if len(end.scout_ids) > NAMED_SCOUTS:
            return t("persona.several_many", count=number(len(end.scout_ids)))
        return t("persona.several", scouts=scouts)
    return t(f"persona.why_{end.reason_code}", scouts=scouts)


def _since(since: datetime | date, now: datetime) -> str:
    if isinstance(since, datetime):
        return ago(since, now)
    return short_day(since)


def _facts(story: Story, identity: Identity, held: Money) -> None:
    state = story.told.state
    frame.card_title(t("persona.facts"))
    if not state["has_ledger_row"]:
        ledger = t("persona.ledger_none")
    elif state["ledger_scout_id"] is None:
        ledger = t("persona.ledger_empty")
    else:
        ledger = t("persona.ledger_scout", scout=state["ledger_scout_id"])
    claims = t("persona.claims_none")
    if held.claim_count:
        name = "persona.claims_some" if held.unpaid_claim_count else "persona.claims_paid"
        claims = t(name, count=number(held.claim_count), money=soles(held.at_stake_pen))
    registered = state["registered_at"]
    facts = {
        t("persona.fact_key"): f"`{state['person_key']}`",
        t("persona.fact_name"): plain(identity.name or NOTHING),
        t("persona.fact_license"): plain(identity.license or NOTHING),
        t("persona.fact_phone"): plain(identity.phone or NOTHING),
        t("persona.fact_document"): plain(identity.document or NOTHING),
        t("persona.fact_registered"): plain(
            full_day(registered.astimezone(LIMA).date()) if registered else NOTHING
        ),
        t("persona.fact_ledger"): plain(ledger),
        t("persona.fact_claims"): plain(claims),
    }
    if held.paid_pen:
        facts[t("persona.fact_paid")] = plain(soles(held.paid_pen))
    st.table(facts, border="horizontal", hide_header=True, alt=t("persona.facts_alt"))


def _claims(claims: tuple[PersonClaim, ...], held: Money) -> None:
    frame.card_title(t("persona.claims"))
    if held.claim_count > len(claims):
        st.caption(
            t("persona.claims_more", shown=number(len(claims)), total=number(held.claim_count))
        )
    tables.show(
        [
            Column("milestone", t("persona.claim_milestone"), right=True),
            Column("amount", t("persona.claim_amount"), right=True),
            Column("status", t("persona.claim_status")),
            Column("lead", t("persona.claim_lead")),
            Column("due", t("persona.claim_due")),
            Column("driver", t("persona.claim_driver")),
        ],
        [
            {
                "milestone": number(claim.milestone_value),
                "amount": soles(claim.expected_amount),
                "status": _claim_status(claim.yango_payment_status),
                "lead": full_day(claim.lead_date),
                "due": full_day(claim.due_on),
                "driver": claim.driver_id or NOTHING,
            }
            for claim in claims
        ],
        key="persona_claims",
        alt=t("persona.claims_alt"),
    )


def _claim_status(status: str | None) -> str:
    known = status in ("PAID", "UNPAID", "PAID_MISAPPLIED")
    return t(f"persona.claim_{status}") if known else clean(status or NOTHING)


def _audit(story: Story) -> None:
    told = story.told
    title = frame.card_title(t("persona.audit"))
    rows = sorted(
        [
            *(_ledger_row(row) for row in told.ledger_audit),
            *(_link_row(r) for r in told.link_audit),
        ],
        key=lambda row: row["at"],
        reverse=True,
    )
    if not rows:
        st.caption(t("persona.audit_none"))
        return
    with title:
        site.link_to("runs", t("persona.audit_link"), view="audit", q=told.state["person_key"])
    tables.show(
        [
            Column("time", t("persona.audit_time")),
            Column("what", t("persona.audit_what")),
            Column("change", t("persona.audit_change")),
            Column("rule", t("persona.audit_rule")),
            Column("run", t("persona.audit_run")),
            Column("who", t("persona.audit_who")),
        ],
        rows[:AUDIT_ROWS],
        key="persona_audit",
        alt=t("persona.audit_alt"),
    )


def _ledger_row(row: Any) -> dict[str, Any]:
    old, new = (row[name] for name in _OLD_AND_NEW)
    return {
        **_audit_row(row),
        "what": t("persona.audit_ledger"),
        "change": f"{NOTHING if old is None else old} → {NOTHING if new is None else new}",
        "rule": row["backfill_method"],
    }


def _link_row(row: Any) -> dict[str, Any]:
    action = "REVERTED" if row["action_type"] == "REVERTED" else "CREATED"
    return {
        **_audit_row(row),
        "what": t(f"persona.audit_{action}"),
        "change": f"{row['source_table']} {row['source_pk']}",
        "rule": row["match_method"],
    }


def _audit_row(row: Any) -> dict[str, Any]:
    run = row["run_id"]
    return {
        "at": row["backfill_timestamp"],
        "time": moment(row["backfill_timestamp"], seconds=True),
        "run": NOTHING if run is None else t("persona.audit_from_run", run=run),
        "who": row["actor"] or NOTHING,
    }
