"""A table of one's own in the side bar: upload, paste or take an example; pick columns; say what becomes of gaps. No torch.

What is picked stands in the fields. A file is shown column by column first, as it was read; until its owner takes it, no
run of another is shown. An example, or a table that comes with a link, is there at once.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from html import escape
from secrets import token_urlsafe
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import streamlit as st

from gd_core import drawing
from gd_core.settings.catalog import LOSS_INFO, OFFERED
from gd_core.settings.experiment import Experiment, defaults, problem_with
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import ParameterError
from gd_core.settings.table_fields import (
    DATASET,
    FILES,
    MAX_DEGREE,
    MAX_FEATURES,
    TABLE_FIELDS,
    as_columns,
    fitting_models,
    guessed_target,
    is_always_scaled,
    is_guessed_by_name,
    left_out_rows,
    needs_its_file,
    offers,
    own_names,
    points_of,
    table_at_hand,
    usual_fields,
    usual_missing,
)
from gd_core.tables.example_tables import EXAMPLE_TABLES
from gd_core.words import counted
from pages.ui.look import navigation, session
from pages.ui.look.look import plain
from pages.ui.train import pins, task
from pages.ui.train.train_settings import page

STATE = st.session_state
KEPT = 3  # tables that a visitor's session holds
KEPT_PLAIN = 1_000_000  # bytes of a file of plain numbers, up to which its columns can be read otherwise
# fields that are kept while another pick is made of one table; of another one as well but for the first of them
OF_A_TABLE = ("epochs", "scale_features", "scale_target", "intercept")
KEPT_FIELDS = ("loss", "delta", "optimizer", "seed", *OF_A_TABLE)
PASTED = "Pasted rows"
LISTED = 5  # findings shown, and columns beside the table's name


class File(NamedTuple):
    """A file that was brought, and how it and its columns are to be read where that was said."""

    name: str
    source: bytes | str
    sheet: str
    how: dict[str, str]
    encoding: str = ""


class Held(NamedTuple):
    """A table that a visitor brought: its file, the table, what was recognised, and the first bad cells."""

    file: File
    table: Any
    notes: tuple[str, ...]
    findings: tuple[Any, ...]


class Asked(NamedTuple):
    """A file that its owner looks at, column by column, before it is taken.

    Attributes:
        file: It, with what was said.
        reading: What was made of it.
        beside: Data set and table that were on the page; when they change, the question is gone.
        sentence: Why the last thing that was said could not be done, or "".
    """

    file: File
    reading: Any
    beside: tuple[str, str]
    sentence: str = ""


@dataclass
class OwnTables:
    """What a visitor's session keeps of tables.

    Attributes:
        brought: Those that were brought, by key, the latest last.
        uploads: Counts the files that were taken from an uploader.
        said: What is wrong with the last file.
        last: The last experiment on a table.
        drawing: The last drawing, of those that were changed.
        asked: The file that is being looked at.
        as_it_is: The table whose features its owner wants unscaled.
        word: Whoever shows it is the owner of these tables, come back.
    """

    brought: dict[str, Held] = field(default_factory=dict)
    uploads: int = 0
    said: str = ""
    last: Experiment | None = None
    drawing: Experiment | None = None
    asked: Asked | None = None
    as_it_is: str = ""
    word: str = field(default_factory=token_urlsafe)


_by_word: WeakValueDictionary[str, OwnTables] = WeakValueDictionary()  # no longer than their visits are held


def _own() -> OwnTables:
    return session.held(OwnTables)


def word() -> tuple[str, bool]:
    """The word of this visit's tables, and whether there are any, or one is looked at."""
    own = _own()
    return own.word, bool(own.brought or own.asked)


def take_over(word: str) -> bool:
    """Whoever shows the word of another visit has its tables too; whether there were any. For callbacks."""
    from gd_core.tables.table import keep

    before, own = _by_word.get(word), _own()
    if before is None or not (before.brought or before.asked) or own.brought or own.asked:
        return False
    for held in before.brought.values():
        keep(held.table)
    own.brought, own.asked, own.as_it_is = dict(before.brought), before.asked, before.as_it_is
    _by_word[own.word] = own
    return True


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
    values["features"] = as_columns("features", tuple(values["features"]), values["table"])
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
    if found is None or needs_its_file(found.table) or found.model != Experiment.model:
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
        features = own_names(experiment.features, table_at_hand(experiment.table))
        what = f"{experiment.target} from {', '.join(features)}"
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
        if now := asked():
            st.html(f'<p class="panel-title">{escape(now.file.name)}</p>')
            st.caption("Its columns are on the page. Nothing is trained before you take it.")
            return
        if table is not None and not task.hidden("table"):
            st.html(_title(key, table))
            _as_read(key, table)
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
        target = page.field("target")
        if not task.hidden("target"):
            page.draw(st.selectbox, "target", "Target y", options=_with(table.offered, [target]), then=_target_picked,
                      disabled=not task.free("target"), help="The column that is predicted.")  # fmt: skip
        others = [name for name in offers(table) if name != table.own_name(target)]
        if not task.hidden("features"):
            page.draw(
                st.multiselect, "features", "Features x", options=_with(others, page.field("features")), then=_features_picked,
                max_selections=MAX_FEATURES, placeholder="Choose columns", disabled=not task.free("features"),
                help="The columns that it is predicted from. With one a line or a polynomial is fitted, with several a plane. "
                "A column of words brings a column of 0 and 1 for each word but the first.",
            )  # fmt: skip
        models = {
            name: one
            for name, one in fitting_models(picked()).items()
            if not drawing.is_drawing(page.settings)
        }
        if len(models) > 1 and not task.hidden("model"):
            page.draw(
                st.selectbox, "model", FIELDS["model"].title, options=list(models), format_func=lambda key: models[key].title,
                then=_model_picked, disabled=not task.free("model"),
                help="  \n".join(f"**{one.title}**: {one.help}" for one in models.values()),
            )  # fmt: skip
        is_line = page.field("model") == Experiment.model
        if len(picked()["features"]) == 1 and is_line and not task.hidden("degree"):
            page.draw(
                st.select_slider, "degree", "Degree", options=range(1, MAX_DEGREE + 1),
                then=lambda degree: _pick(degree=degree),
                disabled=not task.free("degree"),
                help="1 is a line w₁·x + b; 2 adds w₂·x², and so on. All of them are linear in the weights. "
                     "From 4 on, scale the features.",
            )  # fmt: skip
        own_model = is_always_scaled(vars(page.settings))
        page.draw(
            st.toggle,
            "intercept",
            FIELDS["intercept"].title,
            then=_intercept_picked,
            help="This model has its intercept, c." if own_model else FIELDS["intercept"].help,
            disabled=own_model,
        )
        if task.free("missing"):
            _gaps(table)


def _with(names: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """What is offered, and what is chosen besides, as by a link."""
    return list(dict.fromkeys([*names, *chosen]))


def _as_read(key: str, table: Any) -> None:
    """What was read otherwise than it stands in the file, beside its name, and the way to change it."""
    said = [one for one in table.read_as if one.said]
    lines = []
    if key in _own().brought and guessed_target(table) == page.field("target"):
        why = "by its name" if is_guessed_by_name(page.field("target")) else "as the last column of numbers"
        lines.append(f"{cut(page.field('target'))} is predicted, {why}")
        offered = [name for name in offers(table) if name != table.own_name(page.field("target"))]
        if len(chosen := own_names(page.field("features"), table)) == 1 < len(offered):
            lines.append(f"from {cut(chosen[0])} alone: add others under Features x")
    lines += [f"{cut(one.name)}: {one.said}" for one in said[:LISTED]]
    if (more := len(said) - LISTED) > 0:
        lines.append(f"and {counted(more, 'more column')}")
    otherwise = {one.name for one in said}
    plainly = [cut(name) for name in map(table.own_name, table.names) if name not in otherwise]
    if key in _own().brought and plainly:
        more = f" and {len(plainly) - LISTED} more" if len(plainly) > LISTED else ""
        lines.append(f"{', '.join(plainly[:LISTED])}{more}: numbers")
    held = _own().brought.get(key)
    lines += [note.rstrip(".") for note in held.notes] if held else []
    if lines:
        st.html(f'<ul class="as-read">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>')
    if held and held.file.source and task.free("table"):
        st.button(
            "Undo or change", icon=":material/undo:", key="read_otherwise", type="tertiary", on_click=_look_again,
            help="Shows every column, and what else it can be read as.",
        )  # fmt: skip


def cut(name: str) -> str:
    """A column's name for a line."""
    return name if len(name) <= 30 else f"{name[:29]}…"


def _title(key: str, table: Any) -> str:
    held = _own().brought
    name = (
        EXAMPLE_TABLES[key].title
        if key in EXAMPLE_TABLES
        else held[key].file.name
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
            "A file with a table: CSV, Excel, Parquet, JSON; up to a million rows", type=FILES, max_upload_size=50,
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
    """What is wrong with the pick; or the rows that lack a number, with the first such cells, and what became of them."""
    if found := problem():
        st.markdown(
            f":orange[:material/error:] {plain(page.words(found[1]))} The charts show the last good choice."
        )
        return
    values = picked()
    columns = (values["target"], *values["features"])
    if not any(table.missing[name] for name in columns):
        return
    from gd_core.tables.table import used

    rows = used(table, values["target"], values["features"], values["missing"])
    said = [left_out_rows(values)] if rows.dropped else []
    if rows.filled:
        means = (
            "1 missing number is the mean of its column"
            if rows.filled == 1
            else f"{counted(rows.filled, 'missing number')} are the mean of their column"
        )
        said.append(f"{means}{' over the training rows' if page.settings.holdout else ''}.")
    st.markdown(f":small[{plain(' '.join(said))}]")
    st.caption("  \n".join(_findings(table, columns)))
    if values["missing"] != "mean":
        st.button("Fill with the mean", key="fill_rows", type="tertiary", on_click=_pick, kwargs={"missing": "mean"},
                  help="A missing feature takes the mean of its column, where rows are held out that of the others. "
                       "A row without a target is left out.")  # fmt: skip
    else:
        st.button(
            "Leave them out", key="drop_rows", type="tertiary", on_click=_pick, kwargs={"missing": "drop"}
        )


def _findings(table: Any, columns: tuple[str, ...]) -> list[str]:
    held = _own().brought.get(page.field("table"))
    if held is None:  # from a link: only the gaps are left
        import numpy as np

        places = [(int(i) + 2, name) for name in columns for i in np.flatnonzero(np.isnan(table[name]))]
        said = [f"row {row:,}, column {name} is empty" for row, name in sorted(places)]
    else:
        own = {table.own_name(name) for name in columns}
        said = [str(finding) for finding in held.findings if finding.column in ("", *own)]
    more = [f"… and {len(said) - LISTED:,} more"] if len(said) > LISTED else []
    return [plain(one) for one in [*said[:LISTED], *more]]


def note(experiment: Experiment) -> str:
    """What the link of this experiment carries; of an example where it is from."""
    if experiment.table in EXAMPLE_TABLES:
        return f"{EXAMPLE_TABLES[experiment.table].source}."
    if not experiment.table.startswith("sha256:"):
        return "The whole table travels in the link."
    mark = experiment.table.removeprefix("sha256:")
    why = "Its rows are not in the link" if _can_travel(experiment) else "Too large for a link"
    return f"{why}: whoever follows it must bring the same file, fingerprint {mark}."


def _can_travel(experiment: Experiment) -> bool:
    held = _own().brought.get(experiment.table)
    return held is not None and held.table.travels and experiment.table != held.table.key


def ask_for_the_link(experiment: Experiment) -> None:
    """The press that puts the rows into the link, where they are few enough and not there yet."""
    if _can_travel(experiment) and task.current() is None:
        st.button("Put the rows into the link", key="into_link", icon=":material/link:", on_click=_into_link, width="stretch",
                  help="Then whoever has the link sees every row, and a reload keeps the table. Until then it holds no row.")  # fmt: skip


def _into_link() -> None:
    from pages.ui.player import live_runs, run_summaries

    before, held = page.settings.table, _own().brought[page.settings.table]
    _own().brought[held.table.key] = held
    if _own().as_it_is == before:
        _own().as_it_is = held.table.key
    live_runs.rename_table(before, held.table.key)
    run_summaries.rename_table(before, held.table.key, pins.held().pins)
    pins.hold(pins.held().with_table(before, held.table.key))
    page.load(replace(page.settings, table=held.table.key))
    page.touch()


# ---------------------------------------------------------------------------------------------------- callbacks


def _draw() -> None:
    """Go back to the drawing that was left, or begin one."""
    _done()
    page.held.wanted = None
    page.load(_own().drawing or drawing.opening())
    page.held.axes = None


def _upload_key() -> str:
    return f"upload {_own().uploads}"


def _uploaded() -> None:
    file = STATE.get(_upload_key())
    if file is not None:
        _own().uploads += 1  # a fresh uploader, which no longer holds the file
        session.let_go_of(file)
        _take(file.getvalue(), file.name)


def _paste() -> None:
    if _take(str(STATE.get("pasted", "")), PASTED):
        STATE["pasted"] = ""


def _take(source: bytes | str, name: str) -> bool:
    """Show how what was brought is read, or say why there is no table in it. Nothing else changes.

    The file that a link waits for is taken at once: what was chosen stands in the link.
    """
    file = File(name, source, "", {})
    try:
        reading = _read(file)
    except ValueError as error:
        _own().said = str(error)
        return False
    _done()
    wanted = page.held.wanted
    if wanted and wanted["table"] == reading.table.mark:
        _accept(file, reading)
    else:
        _ask(file, reading)
    return True


def _was_recognised(reading: Any) -> bool:
    """Whether something was recognised that its owner might have meant otherwise."""
    return len(reading.sheets) > 1 or len(reading.encodings) > 1 or bool(reading.choices)


def _read(file: File) -> Any:
    """What is in a file; for a link that is waited for, also as it was read when that was written.

    Raises:
        TableError: If there is no table in it.
    """
    from gd_core.tables.reading import TableError, read

    reading = read(file.source, file.how, sheet=file.sheet, encoding=file.encoding)
    wanted = (page.held.wanted or {}).get("table")
    if wanted and wanted != reading.table.mark:
        with suppress(TableError):  # there may be too few plain numbers
            plainly = read(file.source, plainly=True)
            return plainly if plainly.table.mark == wanted else reading
    return reading


def _ask(file: File, reading: Any, sentence: str = "") -> None:
    settings, own = page.settings, _own()
    own.asked = Asked(file, reading, (settings.dataset, settings.table), sentence)
    _by_word[own.word] = own
    page.held.touched = True


def asked() -> Asked | None:
    """The file that is being looked at; None once another table or data set is on the page."""
    own = _own()
    if own.asked and own.asked.beside != (page.settings.dataset, page.settings.table):
        own.asked = None
    return own.asked


def _accept(file: File, reading: Any) -> None:
    """Take a table, and pick its usual columns."""
    from gd_core.tables.table import keep

    table = keep(replace(reading.table, source=_source(file)))
    own = _own()
    own.asked = None
    tables = own.brought
    tables.pop(table.mark, None)
    for key, held in tables.items():  # only the last can be read anew: a file may be large
        tables[key] = held._replace(file=held.file._replace(source=""))
    can_change = _was_recognised(reading) or bool(file.how)
    if len(file.source) > KEPT_PLAIN and not can_change:  # there is nothing to undo
        file = file._replace(source="")
    tables[table.mark] = Held(file, table, reading.notes, reading.findings)
    for old in list(tables)[:-KEPT]:
        tables.pop(old, None)
    _by_word[own.word] = own
    wanted = page.held.wanted
    if wanted and wanted["table"] == table.mark:
        page.held.wanted = None
        _done()
        if handed := {name: wanted[name] for name in ("task", "result") if name in wanted}:
            st.query_params.from_dict(handed)
            navigation.reopen()
        else:
            page.load(Experiment.from_query(wanted)[0])
        return
    _choose(table.mark)  # its rows go into the link when its owner says so
    if wanted:
        own.said = f"This file is another one: its fingerprint is {table.fingerprint[:16]}. It is shown as your own table."


def _source(file: File) -> dict[str, Any]:
    """What a record says of a file: its name, and what was said of its reading."""
    said = {"sheet": file.sheet, "encoding": file.encoding}
    return {
        "file": None if file.name == PASTED else file.name,
        "read_as": dict(file.how),
        "read_with": {name: word for name, word in said.items() if word},
    }


def reread(file: File) -> None:
    """Read a file as it was said; what cannot be done changes nothing and is told."""
    now = _own().asked
    assert now is not None
    try:
        _ask(file, _read(file))
    except ValueError as error:
        _ask(now.file, now.reading, str(error))


def take_asked() -> None:
    """The file is taken as it was read. For callbacks."""
    if now := _own().asked:
        _accept(now.file, now.reading)


def leave_asked() -> None:
    """The file is left, and what was on the page is there again. For callbacks."""
    _own().asked = None
    page.held.touched = True


def _look_again() -> None:
    """Show the columns of the table on the page once more."""
    held = _own().brought[page.field("table")]
    _ask(held.file, _read(held.file))


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
    table = table_at_hand(page.field("table"))
    own = table.own_name(target) if table else target
    left = [name for name in page.field("features") if name not in (target, own)]
    last = page.settings.target
    _pick(target=target, features=left or ([last] if last != target else []))


def _features_picked(features: list[str]) -> None:
    columns = as_columns("features", tuple(features), page.field("table"))
    one = len(columns) == 1
    _pick(
        features=features,
        degree=page.field("degree") if one else 1,
        model=page.field("model") if one else Experiment.model,
    )


def _model_picked(model: str) -> None:
    """Fit another model, from its own start, with its rate and for its epochs."""
    _pick(model=model, degree=1)
    if page.settings.model == model and is_always_scaled(vars(page.settings)):
        page.load(replace(page.settings, epochs=OFFERED[model].epochs))


def _pick(**choice: Any) -> None:
    """Take a good pick over, with a rate that settles on it. A bad one stays in the fields, with its sentence."""
    page.put(**choice)
    if "missing" not in choice and page.field("missing") != "mean":
        page.put(missing=usual_missing(picked()))
    if problem():
        return
    _own().said = ""
    good = page.settings
    values: dict[str, Any] = picked() | {"points": points_of(picked())}
    same_table = good.dataset == DATASET and good.table == values["table"]
    if not same_table:
        _own().as_it_is = ""
    kept = {name: getattr(good, name) for name in KEPT_FIELDS if same_table or name not in OF_A_TABLE}
    fields: dict[str, Any] = defaults(DATASET, good.optimizer) | kept | values
    if problem_with("loss", fields["loss"], fields):  # one of yes or no, and this target has numbers
        fields["loss"] = Experiment.loss
    if is_always_scaled(values):
        fields |= {
            "scale_features": True,
            "scale_target": not LOSS_INFO[fields["loss"]].yes_no,
            "intercept": True,
        }
    try:
        chosen = Experiment(**(fields | {name: getattr(good, name) for name in ("holdout", "split_seed")}))
    except ParameterError as error:  # too few rows, or too few numbers in a column, to hold some of them out
        _own().said = f"{error} So no rows are held out."
        chosen = Experiment(**fields)
    page.load(_opened(chosen))
    page.held.axes = None


def _remove() -> None:
    """Forget the table and everything that holds its rows, pinned runs too."""
    from pages.ui.player import live_runs

    own = _own()
    table = own.brought[page.field("table")].table
    keys = {
        key for key, held in own.brought.items() if held.table is table
    }  # with its rows in the link, and without
    _choose(next(iter(EXAMPLE_TABLES)))
    for key in keys:
        pins.hold(pins.held().without_table(key))
        own.brought.pop(key)
        if own.last and own.last.table == key:
            own.last = None
        live_runs.forget(key)


def _intercept_picked(intercept: bool) -> None:
    """With it or without, at the rate that suits then; scaled or not, as before."""
    one = replace(page.settings, intercept=intercept, start="published")
    page.load(_opened(one, as_it_is=not one.scale_features))


def scale() -> None:
    """Scale the features, with the best rate then. For callbacks."""
    _own().as_it_is = ""
    page.load(_opened(replace(page.settings, scale_features=True, start="published")))


def unscale() -> None:
    """Show the features as they are, with a rate that settles then. For callbacks."""
    _own().as_it_is = page.settings.table
    page.load(_opened(replace(page.settings, scale_features=False, start="published")))


def fit_probability() -> None:
    """Fit the probability of a 1, by the log loss, with a rate that settles then. For callbacks."""
    page.load(_opened(replace(page.settings, loss="log", scale_target=False, start="published")))


def _opened(experiment: Experiment, as_it_is: bool = False) -> Experiment:
    from gd_core.safe_start import opening, safe_start
    from pages.ui.player import live_runs

    as_it_is |= _own().as_it_is == experiment.table and not experiment.scale_features
    return (safe_start if as_it_is else opening)(experiment, lambda one: live_runs.known(one)[:2])
