"""A file column by column, before its table is taken: what each was read as, and what else it could be. No torch."""

from typing import Any

import streamlit as st

from gd_core.words import counted, of_column
from pages.ui.look import written
from pages.ui.look.look import plain
from pages.ui.train import own_table

STATE = st.session_state
MOST_CHOICES = 40  # columns that can be read otherwise by a press
WIDTH = 860  # pixels: on a wide page a column and its choice would stand far apart
AS = {
    "numbers": "Numbers",
    "decimal commas": "Numbers with decimal commas",
    "words": "Words",
    "dates": "Dates",
    "day first": "Dates, the day first",
    "month first": "Dates, the month first",
    "missing": "Numbers, without that mark",
    "left out": "Left out",
}


def show() -> None:
    """How each column of a file was read, what is asked about it, and the press that takes it. In place of the run."""
    now = own_table.asked()
    if now is None:
        return
    reading, open_ = now.reading, len(now.reading.questions)
    with st.container(key="as_read", width=WIDTH):
        st.header(plain(f"{now.file.name}: how its columns are read"), anchor=False)
        rows = counted(reading.table.rows, "row")
        st.markdown(
            plain(
                f"{rows}. Change what is read otherwise than you mean it. Nothing is drawn before you take it."
            )
        )
        for sentence in [now.sentence] if now.sentence else []:
            st.markdown(f":orange[:material/error:] {plain(sentence)}")
        with st.container(horizontal=True):  # above the columns, which may be many
            st.button("Use this table", key="use_table", type="primary", on_click=own_table.take_asked, disabled=open_ > 0,
                      help="First say what is asked below." if open_ else None)  # fmt: skip
            st.button("Leave it", key="leave_table", on_click=own_table.leave_asked)
        if reading.notes:
            st.caption("  \n".join(map(plain, reading.notes)))
        if len(reading.sheets) > 1:
            st.selectbox(
                "Sheet",
                reading.sheets,
                index=reading.sheets.index(reading.sheet),
                key="sheet",
                on_change=_sheet,
            )
        if reading.encodings:
            from gd_core.tables.decoding import TITLES

            ways = list(dict.fromkeys((reading.encoding, *reading.encodings)))
            written.write("encoding", reading.encoding)
            st.selectbox(
                "Its letters are read as", ways, key="encoding", format_func=TITLES.__getitem__,
                on_change=written.changed, args=("encoding", _encoding), width=420, help="Look at the names and words: the right choice makes them readable.",
            )  # fmt: skip
        columns = sorted(reading.columns, key=lambda one: not one.question)
        for number, column in enumerate(columns[:MOST_CHOICES]):
            _row_of(number, column)
        if (left := len(columns) - MOST_CHOICES) > 0:
            st.caption(f"And {counted(left, 'more column')}, read in the same way.")


def _row_of(number: int, column: Any) -> None:
    """One column: its name, what was made of it, and what else it could be read as."""
    said, choice = st.columns([9, 4], vertical_alignment="center", gap="small")
    what = (
        f":orange[:material/help:] {plain(column.question)}" if column.question else plain(_read_as(column))
    )
    said.markdown(f"**{plain(own_table.cut(column.name))}**  \n{what}")
    ways = list(dict.fromkeys(column.others if column.question else (column.how, *column.others)))
    if len(ways) < 2:
        return
    key = f"read_{number}_{column.name}"
    written.write(key, None if column.question else column.how)
    choice.selectbox(
        f"Read {column.name} as", ways, key=key, format_func=AS.__getitem__, label_visibility="collapsed",
        placeholder="Say which", on_change=written.changed, args=(key, _said_how, column.name),
    )  # fmt: skip


def _read_as(column: Any) -> str:
    """How a column was read, in a few words; of numbers from which to which; and how many cells hold nothing."""
    if not column.columns:
        return column.said
    import numpy as np

    numbers = next(iter(column.columns.values()))
    said = (
        [
            f"numbers from {of_column(column.name, np.nanmin(numbers))} to {of_column(column.name, np.nanmax(numbers))}"
        ]
        if column.kind == "numbers"
        else []
    )
    said += [column.said] if column.said else []
    if gaps := int(np.isnan(numbers).sum()):
        said.append(f"{counted(gaps, 'cell')} without a value")
    return "; ".join(said)


def _said_how(how: str | None, column: str) -> None:
    now = own_table.asked()
    if now and how:
        own_table.reread(now.file._replace(how={**now.file.how, column: how}))


def _encoding(encoding: str) -> None:
    if now := own_table.asked():
        own_table.reread(now.file._replace(encoding=encoding, how={}))


def _sheet() -> None:
    if now := own_table.asked():
        own_table.reread(now.file._replace(sheet=STATE["sheet"], how={}))
