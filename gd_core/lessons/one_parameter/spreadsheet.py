"""A run of one parameter as a spreadsheet whose cells are formulas: change η or the start, and it is computed anew.

Beside each formula stands its value, for programs that only show a file and do not calculate.
"""

import io
import math
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from gd_core.lessons.one_parameter.behaviour import CURVATURE, OPTIMUM

SHEET = "Run"
RATE, START, FACTOR = "B3", "B4", "B5"
HEADER_ROW = 7  # as a spreadsheet counts, from 1; epoch 0 stands below it
COLUMNS = ("epoch", "A", "L′(A) = 18(A + 1)", "η · L′(A)", "next A", "L(A) = (3 + 3A)²")


def workbook(learning_rate: float, start: float, epochs: int) -> bytes:
    """An .xlsx file with a row for each epoch of gradient descent on L(A) = (3 + 3A)².

    A ← A − η L′(A), with η in `RATE` and the first A in `START`; both are plain numbers, everything else hangs on them.

    Args:
        learning_rate: η.
        start: A₀.
        epochs: Steps; the sheet has one row more.
    """
    held = io.BytesIO()
    # a value that is no number is written as the error that a spreadsheet would show
    with xlsxwriter.Workbook(held, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "bottom": 1, "align": "right"})
        given = book.add_format({"bg_color": "#FFF2CC", "border": 1, "border_color": "#B45F06"})
        quiet = book.add_format({"italic": True, "font_color": "#5B6675"})
        sheet = book.add_worksheet(SHEET)
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 5, 19)
        sheet.write("A1", "Gradient descent on L(A) = (3 + 3A)²", bold)
        sheet.write("A2", "Change η or the start, the two yellow cells: every row follows.", quiet)
        sheet.write("A3", "learning rate η")
        sheet.write_number(RATE, learning_rate, given)
        sheet.write("A4", "start A")
        sheet.write_number(START, start, given)
        sheet.write("A5", "factor 1 − 18η")
        _formula(sheet, FACTOR, f"=1-18*{RATE}", 1 - CURVATURE * learning_rate)
        sheet.write_row(HEADER_ROW - 1, 0, COLUMNS, head)
        sheet.freeze_panes(HEADER_ROW, 0)
        _rows(sheet, learning_rate, start, epochs)
        _picture(book, sheet, epochs)
    return held.getvalue()


def _rows(sheet: Worksheet, learning_rate: float, start: float, epochs: int) -> None:
    """One row an epoch: each A is what the row above calls its next A."""
    rate, a = f"${RATE[0]}${RATE[1:]}", start
    for epoch in range(epochs + 1):
        row = HEADER_ROW + 1 + epoch
        slope = CURVATURE * (a - OPTIMUM)
        step = learning_rate * slope
        residual = 3 + 3 * a
        sheet.write_number(f"A{row}", epoch)
        _formula(sheet, f"B{row}", f"=E{row - 1}" if epoch else f"={START}", a)
        _formula(sheet, f"C{row}", f"=18*(B{row}+1)", slope)
        _formula(sheet, f"D{row}", f"={rate}*C{row}", step)
        _formula(sheet, f"E{row}", f"=B{row}-D{row}", a - step)
        _formula(sheet, f"F{row}", f"=(3+3*B{row})^2", residual * residual)
        a -= step


def _formula(sheet: Worksheet, cell: str, formula: str, value: float) -> None:
    beside: Any = value if math.isfinite(value) else "#NUM!"  # annotated as int there; any value is written
    sheet.write_formula(cell, formula, None, beside)


def _picture(book: xlsxwriter.Workbook, sheet: Worksheet, epochs: int) -> None:
    """A by epoch, drawn by the spreadsheet itself, so that it follows the cells too."""
    first, last = HEADER_ROW + 1, HEADER_ROW + 1 + epochs
    chart = book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    assert chart is not None
    chart.add_series(
        {
            "name": "A",
            "categories": f"={SHEET}!$A${first}:$A${last}",
            "values": f"={SHEET}!$B${first}:$B${last}",
            "line": {"color": "#0A6C67", "width": 1.5},
            "marker": {"type": "circle", "size": 4, "fill": {"color": "#0A6C67"}},
        }
    )
    chart.set_x_axis({"name": "epoch", "min": 0, "max": epochs, "label_position": "low"})
    chart.set_y_axis({"name": "A"})
    chart.set_legend({"none": True})
    sheet.insert_chart(f"H{HEADER_ROW}", chart)
