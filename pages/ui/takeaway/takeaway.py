"""Take away: what is on the page as a link, pictures, a page of its own, PyTorch scripts and records.

Nothing is made before someone asks for it, and then outside of the page's script: a run that plays goes on playing.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import streamlit as st
from streamlit.components.v2 import component

from gd_core.export import caption, notebook, record_file, script, script_table
from gd_core.lessons.deep_networks import network
from gd_core.lessons.deep_networks.network import Network
from gd_core.settings.experiment import Experiment
from gd_core.theory import Convention, conventions, stability_limit
from gd_core.training import Recording
from gd_core.words import counted, short, significant
from pages.ui.charts.model import RecordedRun, View
from pages.ui.look import current_charts, session
from pages.ui.look.session import in_their_name
from pages.ui.player import live_runs
from pages.ui.takeaway import converter_process, frames, page_html, pictures, share
from pages.ui.takeaway.chart_titles import title_of
from pages.ui.takeaway.making import Film

STATE = st.session_state
Taken = Mapping[str, RecordedRun | Network]  # what a page shows, by name
KINDS = {"PNG": "image/png", "SVG": "image/svg+xml"}
WIDTHS = {1280: "Slide", 1920: "Projector", 853: "Small"}  # pixels of a moving picture
USUAL_CHARTS = 3  # in it; more are smaller
CODE_HEIGHT = 330  # pixels,
FRAME = 600  # and of a page inside another: question or charts, player and verdict fit
_HERE = Path(__file__).parent
_where = component("where", js=(_HERE / "where.js").read_text(encoding="utf-8"))
_news = component("news", js=(_HERE / "news.js").read_text(encoding="utf-8"))


@dataclass
class Making:
    """What the session keeps of moving pictures.

    Attributes:
        film: The one that is made, or was made last; only while the panel is open.
        size: How large it becomes, in words.
    """

    film: Film | None = None
    size: str = ""


class Offered(NamedTuple):
    """What the panel offers, as it was when it opened.

    Attributes:
        page: The page's name, which begins the names of files that are about several runs.
        title: What the page is called.
        runs: What it shows, by name.
        address: The link to it.
        drawn: Its charts and its player.
    """

    page: str
    title: str
    runs: Taken
    address: str
    drawn: current_charts.Drawn


def button(page: str, title: str, runs: Callable[[], Taken], query: Callable[[], Mapping[str, str]]) -> None:
    """The button, and what it opens. It runs alone: no chart is drawn anew, and the player does not notice.

    Args:
        page: The page's name.
        title: What it is called.
        runs: Gives what it shows now, by name.
        query: Gives the settings of its link.
    """

    def alone() -> None:
        st.button(
            "Take away", key="take_away", icon=":material/download:", type="tertiary", on_click=_open, args=(page,),
            help="Link, pictures, a page that works offline, PyTorch script, notebook, record.",
        )  # fmt: skip
        if current_charts.is_open_for(page):
            _panel(Offered(page, title, runs(), _address(query()), current_charts.now()))
        else:
            _close()

    st.fragment(alone)()


def _address(query: Mapping[str, str]) -> str:
    """The page's link with these settings."""
    here = urlsplit(st.context.url or "")
    return urlunsplit(here._replace(path=here.path or "/", query=urlencode(query)))


def _open(page: str) -> None:
    current_charts.open_for(page)
    converter_process.warm_up()


def _close() -> None:
    current_charts.open_for(None)
    _stop()


@st.dialog("Take away", width="medium", icon=":material/download:", on_dismiss=_close)
def _panel(offered: Offered) -> None:
    parts: dict[str, Callable[[Offered], None]] = {
        "Link": _link,
        "Pictures": _pictures,
        "Moving picture": _moving,
        "Web page": _page,
    }
    if any(isinstance(run, RecordedRun) for run in offered.runs.values()):
        parts |= {"PyTorch": _pytorch, "Record": _record}
    for place, part in zip(st.tabs(list(parts)), parts.values(), strict=True):
        with place:
            part(offered)
    _where(key="where", default={"at": None}, on_at_change=lambda: None)


def _link(offered: Offered) -> None:
    asks = asking(offered.address)
    if asks != offered.address:
        st.markdown("To set as a task: it asks the question first, and shows the run then.")
        st.code(asks, language=None, wrap_lines=True)
    st.markdown("It opens this page with exactly these settings.")
    st.code(offered.address, language=None, wrap_lines=True)
    if share.is_of_this_computer(offered.address):
        st.caption("The app runs on this computer, so this link works here only.")
    st.markdown("In the page of a course: as HTML, for the editor’s source view.")
    st.code(iframe(offered.title, asks), language="html", wrap_lines=True)


def asking(address: str) -> str:
    """A lesson's link with its question before the run, whatever was answered here; of another page the link itself."""
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, text) for name, text in query if name not in ("guess", "ask")]
    return address if kept == query else urlunsplit(parts._replace(query=urlencode(kept)))


def iframe(title: str, address: str) -> str:
    """HTML that shows a page of the lab inside another page: slim, without its menus."""
    parts = urlsplit(address)
    src = urlunsplit(parts._replace(query="&".join(filter(None, ("embed=true", parts.query)))))
    style = f"width: 100%; height: {FRAME}px; border: 0"
    return f'<iframe title="{escape(title)}" src="{escape(src)}" style="{style}"></iframe>'


# ---------------------------------------------------------------------------------------------- pictures and the page


def _place(offered: Offered) -> pictures.Place:
    """Where the player stands, as the browser has said; its end until then."""
    played = offered.drawn.played
    last = played.last if played else 0
    found = (STATE.get("where") or {}).get("at")
    if not found:
        return pictures.Place(last, last)
    epoch, seen = (min(max(0, int(one)), max(last, 0)) for one in found)
    return pictures.Place(epoch, seen)


def _moment(offered: Offered, place: pictures.Place) -> str:
    """The epoch in the player's own words."""
    played = offered.drawn.played
    return page_html.names_of(played)[page_html.row_of(played, place)] if played else f"epoch {place.epoch:,}"


def _short(offered: Offered, place: pictures.Place) -> str:
    """The same for a file's name."""
    named = offered.drawn.played and offered.drawn.played.names
    return _moment(offered, place).partition(" / ")[0] if named else f"epoch {place.epoch}"


def _settings(offered: Offered) -> caption.Settings:
    return caption.shared(
        {
            name: network.in_words(run) if isinstance(run, Network) else caption.in_words(run.experiment)
            for name, run in offered.runs.items()
        }
    )


def _value(run: RecordedRun | Network) -> Experiment | Network:
    return run.experiment if isinstance(run, RecordedRun) else run


def _paper(key: str, *, disabled: bool = False) -> str:
    usual = "dark" if st.context.theme.type == "dark" else "white"
    return (
        st.segmented_control(
            "Paper", list(pictures.PAPERS), format_func=str.capitalize, default=usual, key=key, required=True,
            disabled=disabled,
        )
        or usual
    )  # fmt: skip


def _pictures(offered: Offered) -> None:
    place = _place(offered)
    moment = _moment(offered, place)
    st.markdown(f"Each chart as it stands at {moment}, with the settings under it.")
    with st.container(horizontal=True):
        paper = _paper("picture_paper")
        kind = (
            st.segmented_control("File", list(KINDS), default="PNG", key="picture_kind", required=True)
            or "PNG"
        )
    settings = caption.in_a_line(_settings(offered))
    with st.container(horizontal=True, gap="small", key="pictures"):
        for key, view in offered.drawn.views.items():
            moves = pictures.moves(view)
            at, when = (moment, _short(offered, place)) if moves else ("", "")
            lines = [", ".join(filter(None, (title_of(key), at))), settings]
            st.download_button(
                title_of(key), partial(_picture, view, place, paper, lines, kind),
                f"{_name(offered, key, when)}.{kind.lower()}", KINDS[kind], key=f"picture_{key}", on_click="ignore",
                icon=":material/image:",
            )  # fmt: skip


def _picture(view: View, place: pictures.Place, paper: str, lines: list[str], kind: str) -> bytes:
    spec = pictures.picture(view, place, paper, lines)
    return converter_process.png(spec) if kind == "PNG" else converter_process.svg(spec)


def _moving(offered: Offered) -> None:
    played = offered.drawn.played
    views = {title_of(key): view for key, view in offered.drawn.views.items()}
    if played is None or played.last < 1 or not any(map(pictures.moves, views.values())):
        st.markdown("Nothing moves here yet. Train first, or answer the question of the lesson.")
        return
    st.fragment(_film)(offered, played, views)  # what it asks for does not concern the other tabs


def _film(offered: Offered, played: current_charts.Played, views: Mapping[str, View]) -> None:
    held = session.held(Making)
    film = held.film
    at_work = film is not None and film.at_work
    st.markdown(
        "The run as a picture that plays by itself, as slowly and quickly as the player: for slides and pages that run no "
        "program. It is a GIF, which opens everywhere."
    )
    usual = [title for title, view in views.items() if pictures.moves(view)][:USUAL_CHARTS]
    titles = st.pills(
        "Charts", list(views), selection_mode="multi", default=usual, key="film_charts", disabled=at_work
    )
    with st.container(horizontal=True):
        paper = _paper("film_paper", disabled=at_work)
        width = st.segmented_control(
            "Width", list(WIDTHS), format_func=lambda one: f"{WIDTHS[one]} {one:,}", default=1280, key="film_width",
            required=True, disabled=at_work,
        ) or 1280  # fmt: skip
    again = st.toggle("Begins again at its end", value=True, key="film_again", disabled=at_work)
    if not 1 <= len(titles) <= frames.MOST_CHARTS:
        st.markdown(f"Choose one to {frames.MOST_CHARTS} charts. Got {len(titles)}.")
        return
    chosen = {title: view for title, view in views.items() if title in titles}
    settings = caption.in_a_line(_settings(offered))
    asked = (*chosen, paper, width, again, played.last)
    if not at_work:
        held.size = frames.Size.of(played, len(chosen), settings, width).in_words()
    st.caption(held.size)

    def make() -> None:
        spec = frames.film(chosen, played, paper, settings, width=width, again=again)
        session.held(Making).film = Film(asked, spec)

    ready = film is not None and not at_work and film.asked == asked
    with st.container(horizontal=True, vertical_alignment="center"):
        # one button, so that the focus stays on it
        st.button(
            "Stop" if at_work else "Make it again" if ready else "Make it", key="film_button",
            on_click=_stop if at_work else make, icon=":material/stop:" if at_work else ":material/movie:",
        )  # fmt: skip
        if film and ready and film.made:
            weight = short(len(film.made) / 1e6, 2)
            st.download_button(
                f"Download ({weight} MB)", film.made, f"{_name(offered, 'moving')}.gif", "image/gif",
                key="film_file", on_click="ignore", icon=":material/download:", type="primary",
            )  # fmt: skip
    if film and at_work:
        st.progress(film.drawn / film.of, _progress(film))
        _news(key="news", on_asked_change=lambda: None)
    elif film and ready and film.sentence:
        st.markdown(f":orange[:material/error:] {film.sentence}")
    elif film and ready:
        st.caption("Its text, for those who cannot see it:")
        st.code(frames.described(chosen, played), language=None, wrap_lines=True)


def _progress(film: Film) -> str:
    if film.waits:
        return "Another visitor’s is being made. Yours is next."
    if film.drawn == film.of:
        return "Putting the pictures together."
    return f"{film.drawn} of {counted(film.of, 'picture')}"


def _stop() -> None:
    held = session.held(Making)
    if held.film:
        held.film.stop()
    held.film = None


def _page(offered: Offered) -> None:
    played = offered.drawn.played
    if played is None:
        return
    st.markdown(
        "The charts of this page in one HTML file, with a slider that works without this app and without a network."
    )
    paper = _paper("page_paper")
    page = page_html.Page(
        offered.title,
        offered.address,
        _settings(offered),
        {title_of(key): view for key, view in offered.drawn.views.items()},
    )
    st.download_button(
        "Web page (.html)", partial(page_html.html, page, played, _place(offered), paper),
        f"{_name(offered)}.html", "text/html", key="page_html", on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------- scripts and records


def _chosen(offered: Offered, key: str) -> RecordedRun:
    """The run that a script or a record is about."""
    runs = {name: run for name, run in offered.runs.items() if isinstance(run, RecordedRun)}
    name = next(iter(runs))
    if len(runs) > 1:
        name = st.selectbox("Run", list(runs), key=key)
    return runs[name]


def _pytorch(offered: Offered) -> None:
    run = _chosen(offered, "script_run")
    experiment = run.experiment
    flavours = script.FLAVOURS
    usual = next(iter(flavours))
    flavour = (
        st.segmented_control(
            "Flavour", list(flavours), format_func=lambda one: flavours[one], default=usual, key="flavour",
            required=True, label_visibility="collapsed",
        )
        or usual
    )  # fmt: skip
    if sentence := script.why_not(experiment, flavour):
        st.markdown(sentence)
        return
    name = safe(*_parts(experiment))
    with st.container(horizontal=True):
        st.download_button(
            "Script (.py)", in_their_name(partial(script.script, experiment, flavour)), f"{name}_{flavour}.py", "text/x-python",
            key="script_file", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "Notebook (.ipynb)", in_their_name(partial(notebook.notebook, experiment, flavour)), f"{name}_{flavour}.ipynb",
            "application/x-ipynb+json", key="notebook_file", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        if script_table.needs_its_numbers(experiment):
            st.download_button(
                "Its table (.csv)", in_their_name(partial(script_table.table_file, experiment)), "table.csv", "text/csv",
                key="table_file", on_click="ignore", icon=":material/download:",
                help="The numbers that words and dates became: the script reads it from its own folder.",
            )  # fmt: skip
    st.code(script.script(experiment, flavour), language="python", height=CODE_HEIGHT)
    if others := conventions(experiment):
        st.caption(_in_other_code(stability_limit(run.curvature, experiment.phase), others))


def _in_other_code(limit: float, others: Sequence[Convention]) -> str:
    """The limit of the rate as the script has it, and as code has it that writes loss or velocity otherwise."""
    elsewhere = ", ".join(f"with {one.where} {significant(limit * one.times)}" for one in others)
    meant = " ".join(one.what for one in others)
    return f"Limit of the rate in this code: {significant(limit)}. In other code: {elsewhere}. {meant}"


def _record(offered: Offered) -> None:
    run = live_runs.as_recorded(_chosen(offered, "record_run"))
    if not run.recording.complete:
        st.markdown(
            "There is no record of this run here: it has not been trained to its end. Train it on the Train page."
            if offered.page == "compare"
            else "There is no record yet: the run has not been trained to its end. Come back when it has."
        )
        return
    st.markdown("Every epoch as a table, or all of the run with theory and versions.")
    name = safe(*_parts(run.experiment))
    with st.container(horizontal=True):
        for kind, make, mime in (
            ("csv", record_file.to_csv, "text/csv"),
            ("json", record_file.to_json, "application/json"),
        ):
            st.download_button(
                f"Record (.{kind})", in_their_name(partial(_written, make, run.experiment, run.recording)), f"{name}.{kind}", mime,
                key=f"record_{kind}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
    st.caption("`python -m gd_core train --from record.json` trains the same run again, exactly.")


def _written(
    make: Callable[[Experiment, Recording], str], experiment: Experiment, recording: Recording
) -> str:
    return make(experiment, recording)


# ------------------------------------------------------------------------------------------------------- names of files


def _name(offered: Offered, *parts: str) -> str:
    """A file's name for what is on the page: of the run, if there is only one."""
    values = [_value(run) for run in offered.runs.values()]
    if len(values) == 1 and isinstance(values[0], Experiment):
        return safe(*_parts(values[0]), *parts)
    return safe(offered.page, *(part.removeprefix(f"{offered.page}_") for part in parts))


def _parts(experiment: Experiment) -> tuple[str, str]:
    return experiment.dataset, f"eta-{experiment.as_text('learning_rate').replace('e-0', 'e-')}"


def safe(*parts: str) -> str:
    """Words as a file's name that every system takes: letters, digits, points, hyphens; `_` between the parts."""
    plain = [unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode() for part in parts]
    return "_".join(filter(None, (re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.") for part in plain)))[:100]
