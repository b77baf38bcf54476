"""A table of one's own in the side bar: upload, paste or take an example; pick columns; say what becomes of gaps. No torch.

What is picked stands in the fields. As long as rows lack a number and nobody has said what becomes of them,
the experiment stays as it was: the charts go on showing the last complete table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, NamedTuple

import streamlit as st

from gd_core import drawing
from gd_core.settings.experiment import Experiment, defaults, problem_with
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import ParameterError
from gd_core.settings.table_fields import (
    DATASET,
    MAX_DEGREE,
    MAX_FEATURES,
    TABLE_FIELDS,
    needs_its_file,
    points_of,
    table_at_hand,
    usual_fields,
)
from gd_core.tables.example_tables import EXAMPLE_TABLES
from gd_core.words import counted
from pages.ui.look import navigation, session
from pages.ui.look.look import plain
from pages.ui.train import pins, task
from pages.ui.train.train_settings import FIRST, page

STATE = st.session_state
KEPT = 3  # tables that a visitor's session holds
OF_A_TABLE = (
    "epochs",
    "scale_features",
    "scale_target",
    "intercept",
)  # fields that are kept while another pick is made
KEPT_FIELDS = ("loss", "optimizer", "seed", *OF_A_TABLE)  # of one table; of another one as well but for those
LISTED = 5  # findings shown


class Held(NamedTuple):
    """A table that a visitor brought: its file's name, the table, what was recognised, and the first bad cells."""

    name: str
    table: Any
    notes: tuple[str, ...]
    findings: tuple[Any, ...]


@dataclass
class OwnTables:
    """What a visitor's session keeps of tables.

    Attributes:
        brought: Those that were brought, by key, the latest last.
        uploads: Counts the files that were taken from an uploader.
        said: What is wrong with the last file.
        last: The last experiment on a table.
        drawing: The last drawing, of those that were changed.
    """

    brought: dict[str, Held] = field(default_factory=dict)
    uploads: int = 0
    said: str = ""
    last: Experiment | None = None
    drawing: Experiment | None = None


def _own() -> OwnTables:
    return session.held(OwnTables)


def last() -> Experiment | None:
    """The last experiment on a table."""
    return _own().last


def remember(experiment: Experiment) -> None:
    """This is the last experiment, if it is on a table."""
    if experiment.dataset == DATASET:
        _own().last = experiment


def remember_drawing(experiment: Experiment) -> None:
    """This is the drawing to come back to. For callbacks."""
    _own().drawing = experiment


# ---------------------------------------------------------------------------------------------- what is picked


def picked() -> dict[str, Any]:
    """The table's fields as they are picked, good or bad."""
    values: dict[str, Any] = {"dataset": DATASET} | {name: page.field(name) for name in TABLE_FIELDS}
    values["features"] = tuple(values["features"])
    return values


def problem() -> tuple[str, str] | None:
    """The first field of the pick that breaks its rule, and the sentence; None if all is well."""
    values = picked()
    for name in TABLE_FIELDS:
        if sentence := problem_with(name, values[name], values):
            return name, sentence
    return None


def mine(usual: Experiment, fits: Callable[[Experiment], str | None], **changes: Any) -> Experiment:
    """The visitor's last table from the Train page, for a lesson: its columns and rate; `usual` if that does not suit.

    Args:
        usual: What the lesson opens with where there is no table yet.
        fits: Says why the lesson cannot take a table, or None.
        changes: Fields that the lesson sets.
    """
    found = last()
    if found is None or needs_its_file(found.table):
        return usual
    kept = {
        name: getattr(found, name) for name in (*TABLE_FIELDS, "points", "learning_rate", "scale_features")
    }
    try:
        one = Experiment(**(defaults(DATASET, "gradient-descent") | kept | changes))
    except ParameterError:
        return usual
    return usual if fits(one) else one


def trees(**changes: Any) -> Experiment:
    """A lesson's table where there is none yet: an example of two features, scaled."""
    fields = {"table": "trees", "points": 31, "scale_features": True} | usual_fields("trees") | changes
    return Experiment(**(defaults(DATASET, "gradient-descent") | fields))


def line(experiment: Experiment) -> None:
    """Which table a lesson shows, under its choice of data sets."""
    if experiment.dataset == DATASET:
        what = f"{experiment.target} from {', '.join(experiment.features)}"
        power = f", degree {experiment.degree}" if experiment.degree > 1 else ""
        st.caption(
            plain(
                f"{what}{power}; {counted(experiment.points, 'row')}. Bring a table and pick its columns on Train."
            )
        )


def at_most(rows: int, parameters: int | None = None) -> Callable[[Experiment], str | None]:
    """A lesson's rule about tables: so many rows at most, and, if that is given, exactly so many parameters."""

    def fits(experiment: Experiment) -> str | None:
        if experiment.dataset != DATASET:
            return None
        if experiment.points > rows:
            return (
                f"table must have at most {counted(rows, 'row')} in this lesson. Got {experiment.points:,}."
            )
        count = len(experiment.info.parameters)
        if parameters is not None and count != parameters:
            return (
                f"table must be fitted with {parameters} parameters in this lesson: "
                f"{parameters - 1} features, or one of degree {parameters - 1}. Got {count}."
            )
        return None

    return fits


# ---------------------------------------------------------------------------------------------------- the panel


def panel() -> None:
    """Draw everything about the table that a task leaves there."""
    key = page.field("table")
    table = table_at_hand(key)
    with st.container(key="own_table", gap="small"):
        if table is not None and not task.hidden("table"):
            st.html(_title(key, table))
        if task.free("table"):
            _menu()
        if task.free("table") and not drawing.is_drawing(page.settings):
            st.button(
                "Draw your own", icon=":material/draw:", key="draw_your_own", width="stretch",
                on_click=_draw, help="Click points on a plot, and watch the fit answer.",
            )  # fmt: skip
        for sentence in _said():
            st.markdown(f":orange[:material/error:] {plain(sentence)}")
        if table is None:
            return
        names = list(table.names)
        if not task.hidden("target"):
            page.draw(st.selectbox, "target", "Target y", options=names, then=_target_picked,
                      disabled=not task.free("target"), help="The column that is predicted.")  # fmt: skip
        others = [name for name in names if name != page.field("target")]
        if not task.hidden("features"):
            page.draw(
                st.multiselect, "features", "Features x", options=others, then=_features_picked,
                max_selections=MAX_FEATURES, placeholder="Choose columns", disabled=not task.free("features"),
                help="The columns that it is predicted from. With one a line or a polynomial is fitted, with several a plane.",
            )  # fmt: skip
        if len(page.field("features")) == 1 and not task.hidden("degree"):
            page.draw(
                st.select_slider, "degree", "Degree", options=range(1, MAX_DEGREE + 1),
                then=lambda degree: _pick(degree=degree),
                disabled=not task.free("degree"),
                help="1 is a line w₁·x + b; 2 adds w₂·x², and so on. All of them are linear in the weights. "
                     "From 4 on, scale the features.",
            )  # fmt: skip
        page.draw(
            st.toggle,
            "intercept",
            FIELDS["intercept"].title,
            then=_intercept_picked,
            help=FIELDS["intercept"].help,
        )
        if task.free("missing"):
            _gaps(table)


def _title(key: str, table: Any) -> str:
    held = _own().brought
    name = (
        EXAMPLE_TABLES[key].title
        if key in EXAMPLE_TABLES
        else held[key].name
        if key in held
        else "Your points"
        if table.names == drawing.COLUMNS
        else "From a link"
    )
    size = f"{counted(table.rows, 'row')}, {counted(len(table.names), 'column')}"
    return f'<p class="panel-title">{escape(name)} <small>{size}</small></p>'


def _menu() -> None:
    with st.popover(
        "Bring a table", icon=":material/table:", width="stretch", key="table_menu", on_change="rerun"
    ):
        st.file_uploader(
            "A CSV or TSV file, up to 200,000 rows", type=["csv", "tsv", "txt"], max_upload_size=5,
            key=_upload_key(), on_change=_uploaded,
        )  # fmt: skip
        st.text_area(
            "Or paste rows, as from a spreadsheet",
            key="pasted",
            height=110,
            placeholder="size, price\n50, 210\n72, 295",
        )
        st.button("Use the pasted rows", key="use_pasted", on_click=_paste)
        st.markdown("**Or take one of these**")
        for key, example in EXAMPLE_TABLES.items():
            st.button(
                f"{example.title}  \n:small[:gray[{example.help}]]", key=f"example_table_{key}", type="tertiary",
                width="stretch", on_click=_choose, args=(key,),
            )  # fmt: skip
            st.caption(plain(f"{example.source}. {example.licence}"))
        if page.field("table") in _own().brought:
            st.button("Remove my table", key="remove_table", icon=":material/delete:", on_click=_remove)


def _said() -> list[str]:
    """What is wrong with the last file, and which file a link asks for."""
    sentences = [_own().said]
    if wanted := page.held.wanted:
        sentences.insert(0, needs_its_file(wanted["table"]) or "")
    return [sentence for sentence in sentences if sentence]


def _gaps(table: Any) -> None:
    """Bad cells of the columns that are used, and the choice what becomes of their rows; else what was chosen."""
    found = problem()
    if found and found[0] != "missing":
        st.markdown(f":orange[:material/error:] {plain(found[1])} The charts show the last good choice.")
        return
    values = picked()
    columns = (values["target"], *values["features"])
    if not any(table.missing[name] for name in columns):
        return
    if values["missing"] == "refuse":
        left = points_of({**values, "missing": "drop"}) or 0
        gone = table.rows - left
        rows = f"{counted(gone, 'row')} {'lacks' if gone == 1 else 'lack'} a number"
        st.markdown(f":orange[:material/error:] {rows}. What shall become of them?")
        st.caption("  \n".join(_findings(table, columns)))
        st.button("Leave them out", key="drop_rows", on_click=_pick, kwargs={"missing": "drop"}, width="stretch",
                  disabled=left < 2, help=f"{left:,} of {counted(table.rows, 'row')} are left.")  # fmt: skip
        st.button("Fill with the mean", key="fill_rows", on_click=_pick, kwargs={"missing": "mean"}, width="stretch",
                  help="A missing feature takes the mean of its column, where rows are held out that of the others. "
                       "A row without a target is left out.")  # fmt: skip
        st.caption("Until you choose, the charts show the last complete table.")
        return
    from gd_core.tables.table import used

    rows = used(table, values["target"], values["features"], values["missing"])
    parts = []
    if rows.filled:
        one = rows.filled == 1
        parts.append(
            "1 missing number is the mean of its column"
            if one
            else f"{counted(rows.filled, 'missing number')} are the mean of their column"
        )
        parts[-1] += " over the training rows" if page.settings.holdout else ""
    parts += [f"{rows.dropped:,} of {counted(table.rows, 'row')} are left out"] if rows.dropped else []
    st.caption(f"{'; '.join(parts)}.")
    st.button(
        "Choose again",
        key="choose_again",
        type="tertiary",
        on_click=page.put,
        kwargs={"missing": "refuse"},
    )


def _findings(table: Any, columns: tuple[str, ...]) -> list[str]:
    held = _own().brought.get(page.field("table"))
    if held is None:  # from a link: only the gaps are left
        import numpy as np

        places = [(int(i) + 2, name) for name in columns for i in np.flatnonzero(np.isnan(table[name]))]
        said = [f"row {row:,}, column {name} is empty" for row, name in sorted(places)]
    else:
        said = [str(finding) for finding in held.findings if finding.column in ("", *columns)]
    more = [f"… and {len(said) - LISTED:,} more"] if len(said) > LISTED else []
    return [plain(one) for one in [*said[:LISTED], *more]]


def note(experiment: Experiment) -> str:
    """What the link of this experiment carries."""
    held = _own().brought.get(experiment.table)
    notes = " ".join(held.notes) if held else ""
    if experiment.table.startswith("sha256:"):
        mark = experiment.table.removeprefix("sha256:")
        return (
            f"{notes} Too large for a link: whoever follows it must bring the same file, fingerprint {mark}."
        )
    if experiment.table in EXAMPLE_TABLES:
        return f"{EXAMPLE_TABLES[experiment.table].source}."
    return f"{notes} The whole table travels in the link."


# ---------------------------------------------------------------------------------------------------- callbacks


def _draw() -> None:
    """Go back to the drawing that was left, or begin one."""
    _done()
    page.held.wanted = None
    page.load(_own().drawing or drawing.opening())
    page.held.axes = FIRST


def _upload_key() -> str:
    return f"upload {_own().uploads}"


def _uploaded() -> None:
    file = STATE.get(_upload_key())
    if file is not None:
        _own().uploads += 1  # a fresh uploader, which no longer holds the file
        _take(file.getvalue(), file.name)


def _paste() -> None:
    if _take(str(STATE.get("pasted", "")), "Pasted rows"):
        STATE["pasted"] = ""


def _take(source: bytes | str, name: str) -> bool:
    """Make a table of what was brought and pick its usual columns, or say why there is none. Nothing else changes."""
    from gd_core.tables.reading import TableError, read
    from gd_core.tables.table import keep

    try:
        reading = read(source)
    except TableError as error:
        _own().said = str(error)
        return False
    table = keep(reading.table)
    tables = _own().brought
    tables.pop(table.key, None)
    tables[table.key] = Held(name, table, reading.notes, reading.findings)
    for old in list(tables)[:-KEPT]:
        tables.pop(old, None)
    wanted = page.held.wanted
    if wanted and wanted["table"] == table.key:
        page.held.wanted = None
        _done()
        if handed := {name: wanted[name] for name in ("task", "result") if name in wanted}:
            st.query_params.from_dict(handed)
            navigation.reopen()
        else:
            page.load(Experiment.from_query(wanted)[0])
        return True
    _choose(table.key)
    if wanted:
        _own().said = f"This file is another one: its fingerprint is {table.fingerprint[:16]}. It is shown as your own table."
    return True


def _done() -> None:
    """Nothing is wrong, and the menu closes."""
    _own().said = ""
    STATE["table_menu"] = False


def _choose(key: str) -> None:
    _done()
    usual = usual_fields(key)
    _pick(table=key, **usual | {"features": list(usual["features"])})


def _target_picked(target: str) -> None:
    """A target is no feature: where it was one, the last target takes its place if there is no other."""
    left = [name for name in page.field("features") if name != target]
    last = page.settings.target
    _pick(target=target, features=left or ([last] if last != target else []))


def _features_picked(features: list[str]) -> None:
    _pick(features=features, degree=page.field("degree") if len(features) == 1 else 1)


def _pick(**choice: Any) -> None:
    """Take a good pick over, with a rate that settles on it. A bad one stays in the fields, with its sentence."""
    page.put(**choice)
    if problem():
        return
    _own().said = ""
    good = page.settings
    values: dict[str, Any] = picked() | {"points": points_of(picked())}
    same_table = good.dataset == DATASET and good.table == values["table"]
    kept = {name: getattr(good, name) for name in KEPT_FIELDS if same_table or name not in OF_A_TABLE}
    fields: dict[str, Any] = defaults(DATASET, good.optimizer) | kept | values
    try:
        chosen = Experiment(**(fields | {name: getattr(good, name) for name in ("holdout", "split_seed")}))
    except ParameterError as error:  # too few rows, or too few numbers in a column, to hold some of them out
        _own().said = f"{error} So no rows are held out."
        chosen = Experiment(**fields)
    page.load(_safe(chosen))
    page.held.axes = FIRST


def _remove() -> None:
    """Forget the table and everything that holds its rows, pinned runs too."""
    key = page.field("table")
    pins.hold(pins.held().without_table(key))
    own = _own()
    own.brought.pop(key, None)
    if own.last and own.last.table == key:
        own.last = None
    _choose(next(iter(EXAMPLE_TABLES)))
    from pages.ui.player import live_runs

    live_runs.forget(key)


def _intercept_picked(intercept: bool) -> None:
    """With it or without, at the rate that settles then."""
    page.load(_safe(replace(page.settings, intercept=intercept, start="published")))


def scale() -> None:
    """Scale the features, with the rate that settles then. For callbacks."""
    page.load(_safe(replace(page.settings, scale_features=True, start="published")))


def _safe(experiment: Experiment) -> Experiment:
    from gd_core.safe_start import safe_start
    from pages.ui.player import live_runs

    return safe_start(experiment, lambda one: live_runs.known(one)[:2])
