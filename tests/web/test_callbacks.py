"""What a page does for who looks at it now, and not for who did when it was drawn: every callback
that writes, every fragment, in a page that was open when the session ended."""

import ast
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.secrets import secrets_singleton

from scout_core.access import sessions as core
from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from scout_core.decide import undo
from tests.support import web
from tests.support.job import OPERATOR, key, refresh, rows, run_states, story, value
from tests.support.looking import installed
from tests.support.state import effects
from tests.support.telling import told
from tests.support.telling import write as write_message
from ui.doors import sessions
from ui.parts import frame, read, shield, site, who

ROOT = Path(__file__).parents[2]
ROOMS = [
    room
    for room in sorted((ROOT / "ui").iterdir())
    if room.is_dir() and room.name not in {"doors", "words"}
]
SOURCES = [f for room in (ROOT / "pages", *ROOMS) for f in sorted(room.glob("*.py"))]
TREES = {
    str(file.relative_to(ROOT).with_suffix("")): ast.parse(file.read_text(encoding="utf-8"))
    for file in SOURCES
}
ON = {"on_click", "on_change", "on_select", "on_submit"}
NOTE = "llamé a los dos, el primero la registró"
CARLA = str(key("carla"))
OVER = "Tu sesión terminó"
CHANNEL = "http://127.0.0.1:9/x"  # nobody listens there
SUBJECT = "https://id.example.com#ana"
AUTH = {
    "client_id": "scouts",
    "cookie_secret": "5c0a7" * 13,
    "redirect_uri": "http://localhost:3000/scouts/oauth2callback",
    "server_metadata_url": "http://localhost:1/x",
}

Press = Callable[[], Any]


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def action_of(function: ast.FunctionDef) -> str | None:
    """The action of @who.acting("<action>")."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "who.acting":
            return str(ast.literal_eval(decorator.args[0]))
    return None


ACTING = {
    f"{stem}.{function.name}": action
    for stem, tree in TREES.items()
    for function in functions(tree)
    if (action := action_of(function))
}


def is_actor(node: ast.expr) -> bool:
    """Whether this is somebody: a name or attribute called actor, or the visitor."""
    return ast.unparse(node).rpartition(".")[2] in {"actor", "visitor()"}


def test_no_callback_is_given_who_looked_when_the_page_was_drawn():
    found = []
    for stem, tree in TREES.items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            given = [word.value for word in call.keywords if word.arg in {"args", "kwargs"}]
            given += [
                word.value
                for word in call.keywords
                if word.arg in ON and not isinstance(word.value, ast.Name | ast.Attribute)
            ]
            found += [
                f"{stem}:{call.lineno}"
                for value in given
                for node in ast.walk(value)
                if isinstance(node, ast.expr) and is_actor(node)
            ]
    assert found == []


def library(tree: ast.Module) -> set[str]:
    """Names by which a module calls what may write: modules and functions of the library, and the
    starter of runs."""
    names = {"job", "_ONE", "_MANY"}
    for node in ast.walk(tree):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if module.startswith("scout_core") and module != "scout_core.access.permissions":
            names |= {alias.asname or alias.name for alias in node.names}  # type: ignore[attr-defined]
    return names - {"permissions"}


def test_who_acts_is_named_to_the_library_by_a_callback_that_has_asked_anew():
    found, seen = [], set()
    for stem, tree in TREES.items():
        if stem in {"ui/parts/who", "ui/shell/job"}:
            continue
        ours = library(tree)
        acting = {f.name for f in functions(tree) if action_of(f)}
        # what is given to a callback to be called by it, with the actor that it found
        acting |= {
            node.id
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            for word in call.keywords
            if word.arg == "args"
            for node in ast.walk(word.value)
            if isinstance(node, ast.Name)
        }
        for function in functions(tree):
            named = [
                node
                for node in ast.walk(function)
                if (
                    isinstance(node, ast.Call)
                    and ast.unparse(node.func).split(".")[0].split("[")[0] in ours
                    and not ast.unparse(node.func)[:1].isupper()  # filters of a list
                    and any(is_actor(a) for a in [*node.args, *(k.value for k in node.keywords)])
                )
                or (
                    isinstance(node, ast.Dict)
                    and any(isinstance(k, ast.Constant) and k.value == "actor" for k in node.keys)
                    and any(is_actor(v) for v in node.values)
                )
            ]
            if named and (function.name not in acting or function.args.args[0].arg != "actor"):
                found.append(f"{stem}.{function.name}")
            elif named:
                seen.add(stem)
    assert found == []
    # the rule has something to look at
    assert seen == {name.partition(".")[0] for name in ACTING}


def test_fragments_are_made_in_the_frame_only_and_it_asks_who_looks():
    made = [
        f"{stem}:{node.lineno}"
        for stem, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"fragment", "dialog"}
        and stem != "ui/parts/frame"
    ]
    assert made == []
    # the other one of the frame shows nothing: it waits for the database
    assert ast.unparse(TREES["ui/parts/frame"]).count("st.fragment(") == 2
    assert "st.fragment(_come_back" in ast.unparse(TREES["ui/parts/frame"])


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    """A small database with something for every callback: conflicts, a held person, a row to
    review, a run to undo, open alerts, and a message that its channel never took."""
    with installed(server_url) as database:
        story(database.url)
        first = refresh(database)
        undo.run_undo(database, actor=OPERATOR, run_id=first.run_id, reason=NOTE)
        story(database.url, tag="2")
        refresh(database)
        write_message(database, told(CHANNEL))
        rows(
            database.url,
            "update scout.deliveries set state = 'DEAD', ended_at = now(), last_outcome = 'TIMEOUT'"
            " returning 1",
        )
        yield database


@pytest.fixture
def ana(shared: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[sessions.Session]:
    """The session of Ana, an admin, who has signed in."""
    monkeypatch.setattr(secrets_singleton, "load_if_toml_exists", lambda: True)
    monkeypatch.setattr(secrets_singleton, "_secrets", {"auth": AUTH})
    monkeypatch.setattr(sessions, "SECONDS", 0.0)
    assert shield.is_sign_in_configured()
    with web.on(shared):
        read.use(shared, told(CHANNEL))
        actor = Actor("ana@example.com", "admin")
        began = core.begin(shared, SUBJECT, actor)
        session = sessions.Session(SUBJECT, actor, began)
        monkeypatch.setattr(who, "session_of_page", lambda: session)
        yield session


def end(session: sessions.Session) -> None:
    """By another process."""
    core.end(read.database(), session.subject, reason="ADMIN", actor="adela")


def button(page: Any, label: str) -> Any:
    return next(b for b in page.button if b.label.startswith(label))


def choose(page: Any, label: str, option: str) -> None:
    next(r for r in page.radio if r.label == label).set_value(option).run()


def on_decide() -> tuple[Any, Press]:
    page = web.open_page("conflicts", persona=CARLA)
    choose(page, "¿Quién trajo a esta persona?", "9")
    page.text_area[-1].set_value(NOTE).run()
    return page, button(page, "Asignar al scout 9").click().run


def on_bulk() -> tuple[Any, Press]:
    page = web.open_page("conflicts")
    next(s for s in page.selectbox if s.label == "¿Qué decides para ellos?").set_value("none").run()
    page.text_area[-1].set_value(NOTE).run()
    return page, button(page, "Resolver 2 conflictos").click().run


def on_undo() -> tuple[Any, Press]:
    last = value(read.database().url, "select max(id) from ops.ingestion_runs")
    page = web.open_page("runs", run=str(last), undo="1")
    page.text_area[-1].set_value("se cargó dos veces el archivo").run()
    return page, button(page, "Deshacer").click().run


def on_release() -> tuple[Any, Press]:
    page = web.open_page("persona", key=str(key("ana")))
    page.text_input[-1].set_value("está bien después de todo").run()
    return page, button(page, "Liberar").click().run


def on_review() -> tuple[Any, Press]:
    pk = rows(read.database().url, "select source_pk from canon.identity_unmatched limit 1")[0][0]
    page = web.open_page("persona", row=pk)
    choose(page, "¿Quién es?", "create")
    page.text_area[-1].set_value(NOTE).run()
    return page, button(page, "Registrar a la persona").click().run


def on_move() -> tuple[Any, Press]:
    linked = (
        "select source_pk from canon.identity_links where match_rule = 'BACKFILL_LICENSE_MATCH'"
    )
    pk = rows(read.database().url, f"{linked} order by 1 limit 1")[0][0]
    page = web.open_page("persona", row=pk)
    page.text_input(key=f"move_{pk}_1_key").set_value(str(key("ana"))).run()
    page.text_area(key=f"move_{pk}_1_note").set_value(NOTE).run()
    return page, button(page, "Mover el enlace").click().run


def on_alert() -> tuple[Any, Press]:
    url = read.database().url
    number = value(url, "select min(alert_id) from scout.alerts where status = 'OPEN'")
    page = web.open_page("alerts", alert=str(number))
    page.text_area(key=f"alerts_{number}_1_reason").set_value(NOTE).run()
    return page, page.button(key=f"alerts_{number}_1_do").click().run


def on_quality() -> tuple[Any, Press]:
    page = web.open_page("alerts", view="quality")
    return page, page.button(key="quality_run").click().run


def on_delivery() -> tuple[Any, Press]:
    page = web.open_page("alerts")
    return page, page.button(key="deliveries_drop").click().run


def on_run() -> tuple[Any, Press]:
    page = web.open_page("backlog")
    return page, page.button(key="run_now").click().run


SCENES = {
    "ui/decide/form._decide": on_decide,
    "ui/decide/form._decide_many": on_bulk,
    "ui/decide/form._release": on_release,
    "ui/decide/review._do": on_review,
    "ui/decide/move._do": on_move,
    "ui/runs/undo._undo": on_undo,
    "ui/alerts/view._do": on_alert,
    "ui/alerts/source_checks._run": on_quality,
    "ui/alerts/deliveries._act": on_delivery,
    "ui/shell/sidebar._start": on_run,
}


def written(url: str) -> dict[str, Any]:
    """All that a callback could have done."""
    return effects(url) | {
        "runs": run_states(url),
        "decisions": rows(url, "select outcome from scout.decisions"),
        "holds": rows(url, "select hold_id, released_at from scout.holds order by 1"),
        "alerts": rows(url, "select alert_id, status from scout.alerts order by 1"),
        "checks": rows(url, "select count(*) from scout.quality_results"),
        "deliveries": rows(url, "select delivery_id, state from scout.deliveries order by 1"),
        "denials": rows(url, "select count(*) from scout.denials"),
    }


def test_every_callback_that_writes_is_tried():
    assert set(SCENES) == set(ACTING)


@pytest.mark.parametrize("callback", SCENES)
def test_page_that_was_open_writes_nothing_when_the_session_has_ended(
    ana, shared, callback, monkeypatch
):
    page, press = SCENES[callback]()
    before = written(shared.url)
    asked = []
    with monkeypatch.context() as refusing:
        refusing.setattr(who, "may", lambda actor, action: asked.append((actor, action)))
        press()
    # while the session is in force the callback is there, and asks who it is
    assert asked == [(ana.actor, ACTING[callback])]
    assert OVER not in web.words(page)
    end(ana)
    press()
    assert not page.exception
    assert OVER in web.words(page)
    assert [b.label for b in page.button] == ["Entrar", "English"]
    assert len(page.sidebar.button) == 0
    assert written(shared.url) == before


@pytest.mark.parametrize("callback", ["ui/decide/form._decide", "ui/shell/sidebar._start"])
def test_callback_does_nothing_after_the_hours_of_a_session(ana, shared, callback, monkeypatch):
    page, press = SCENES[callback]()
    before = written(shared.url)
    old = sessions.Session(ana.subject, ana.actor, datetime.now(UTC) - timedelta(hours=13))
    monkeypatch.setattr(who, "session_of_page", lambda: old)
    press()
    assert OVER in web.words(page)
    assert written(shared.url) == before


def test_nothing_is_written_while_nobody_knows_whether_the_session_has_ended(ana, shared):
    page, press = on_decide()
    before = written(shared.url)
    web.cut_off()
    press()
    assert "No se hizo nada" in web.words(page)
    # what was read before is shown, with its time
    assert "Atrasado" in web.words(page)
    assert written(shared.url) == before


@pytest.mark.parametrize("place", [p.name for p in site.PLACES])
def test_page_shows_nothing_when_the_session_has_ended(ana, place):
    page = web.open_page(place)
    assert OVER not in web.words(page)
    end(ana)
    page.run()
    assert not page.exception
    assert OVER in web.words(page)
    assert [b.label for b in page.button] == ["Entrar", "English"]
    assert not page.dataframe


def test_fragment_asks_who_looks_before_it_shows_anything(ana, monkeypatch):
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        from ui.parts import frame

        frame.live(None, "a")(lambda: __import__("streamlit").write("shown"))()

    page = AppTest.from_function(script).run()
    assert [m.value for m in page.markdown] == ["shown"]
    end(ana)
    asked = []
    monkeypatch.setattr(frame.st, "rerun", lambda: asked.append(1) or frame.st.stop())
    page.run()
    assert asked == [1]
    assert [m.value for m in page.markdown] == []
