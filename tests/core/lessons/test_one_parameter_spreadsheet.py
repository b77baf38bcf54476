"""The spreadsheet, calculated by an independent program, and calculated anew after η and the start are changed."""

import io
import re
import zipfile
from dataclasses import replace

import ironcalc
import pytest

from gd_core.lessons.one_parameter.spreadsheet import COLUMNS, HEADER_ROW, RATE, SHEET, START, workbook
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment

PARABOLA = Experiment.default("one-parameter")
CASES = [(0.01, 2.0), (1 / 18, 2.0), (0.1, 2.0), (1 / 9, -4.0), (0.12, 2.0), (0.1, -1.0), (0.05, 1e9)]


class Sheet:
    """A workbook in IronCalc, which reads the formulas and not the values beside them."""

    def __init__(self, file, tmp_path):
        path = tmp_path / "run.xlsx"
        path.write_bytes(file)
        self.model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
        self.model.evaluate()

    def put(self, cell, value):
        self.model.update_cell_with_number(0, int(cell[1:]), "ABCDEF".index(cell[0]) + 1, value)
        self.model.evaluate()

    def row(self, epoch):
        """The cells of an epoch: its number, A, slope, step, next A, loss."""
        return [self.model.get_cell_value(0, HEADER_ROW + 1 + epoch, column) for column in range(1, 7)]


def cached(file):
    """The values that stand in the file beside the formulas, by cell, as a viewer reads them that cannot calculate."""
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        text = parts.read("xl/worksheets/sheet1.xml").decode()
    return dict(re.findall(r'<c r="([A-F]\d+)"(?: [a-z]="\w+")*>(?:<f>[^<]*</f>)?<v>([^<]*)</v>', text))


def agrees(sheet, learning_rate, start, epochs):
    """Every row of the sheet is that epoch of the recording, to the digits that the distance to −1 leaves."""
    recording = record(replace(PARABOLA, learning_rate=learning_rate, start=(start,), epochs=epochs))
    place, slope = recording.epoch_theta[:, 0].tolist(), recording.gradient[:, 0].tolist()
    loss = recording.epoch_loss.tolist()
    size = max(map(abs, place))
    for epoch in range(recording.epochs + 1):
        number, a, l_prime, step, after, height = sheet.row(epoch)
        near = {"rel": 1e-9, "abs": 1e-13 * size}
        assert number == epoch
        assert a == pytest.approx(place[epoch], **near)
        assert l_prime == pytest.approx(slope[epoch], rel=1e-9, abs=18e-13 * size)
        assert step == pytest.approx(learning_rate * slope[epoch], rel=1e-9, abs=18e-13 * size)
        assert height == pytest.approx(loss[epoch], rel=1e-9, abs=1e-12 * size**2)
        if epoch < recording.epochs:
            assert after == pytest.approx(place[epoch + 1], **near)
    return recording


@pytest.mark.parametrize(("learning_rate", "start"), CASES)
def test_the_formulas_give_the_recording(learning_rate, start, tmp_path):
    """Calculated from nothing but its formulas, the sheet is the run that PyTorch recorded."""
    agrees(Sheet(workbook(learning_rate, start, 40), tmp_path), learning_rate, start, 40)


@pytest.mark.parametrize(("learning_rate", "start"), CASES)
def test_other_settings_typed_into_the_sheet_give_their_recording(learning_rate, start, tmp_path):
    """One file, made for η = 0.03 and A = 7: with η and the start typed over, every row follows."""
    sheet = Sheet(workbook(0.03, 7.0, 40), tmp_path)
    sheet.put(RATE, learning_rate)
    agrees(sheet, learning_rate, 7.0, 40)
    sheet.put(START, start)
    agrees(sheet, learning_rate, start, 40)
    assert sheet.model.get_cell_value(0, 5, 2) == pytest.approx(1 - 18 * learning_rate)


@pytest.mark.parametrize(("learning_rate", "start"), CASES)
def test_the_values_beside_the_formulas_are_what_they_give(learning_rate, start, tmp_path):
    """A program that does not calculate shows the same numbers."""
    file = workbook(learning_rate, start, 12)
    sheet, values = Sheet(file, tmp_path), cached(file)
    for epoch in range(13):
        shown = [float(values[f"{column}{HEADER_ROW + 1 + epoch}"]) for column in "ABCDEF"]
        assert shown == pytest.approx(sheet.row(epoch), rel=1e-12, abs=1e-13 * max(1, abs(start)))


def test_only_eta_and_the_start_are_plain_numbers(tmp_path):
    """Every cell under the headings but the epoch is a formula, and so is the factor."""
    sheet = Sheet(workbook(0.1, 2.0, 5), tmp_path).model
    for row in range(HEADER_ROW + 1, HEADER_ROW + 7):
        assert sheet.get_cell_formula(0, row, 1) is None
        assert all(sheet.get_cell_formula(0, row, column) for column in range(2, 7))
    assert sheet.get_cell_formula(0, 5, 2)
    for cell, value in ((RATE, 0.1), (START, 2.0)):
        assert sheet.get_cell_formula(0, int(cell[1:]), 2) is None
        assert sheet.get_cell_value(0, int(cell[1:]), 2) == value


def test_the_sheet_says_what_it_is(tmp_path):
    """Headings over the columns, and names beside the two cells to change."""
    sheet = Sheet(workbook(0.1, 2.0, 5), tmp_path).model
    heads = [sheet.get_cell_value(0, HEADER_ROW, column) for column in range(1, 7)]
    assert heads == list(COLUMNS)
    assert sheet.get_cell_value(0, 3, 1) == "learning rate η"
    assert sheet.get_cell_value(0, 4, 1) == "start A"
    assert sheet.get_worksheets_properties()[0].get("name") == SHEET


def test_all_planned_epochs_are_in_the_sheet_also_when_the_run_diverged(tmp_path):
    """Another rate may need them. What is too large for a spreadsheet is its error there, not a crash here."""
    file = workbook(1e6, 2.0, 200)
    sheet, values = Sheet(file, tmp_path), cached(file)
    assert sheet.row(200)[0] == 200
    assert values[f"F{HEADER_ROW + 201}"] == "#NUM!"
    sheet.put(RATE, 0.1)
    agrees(sheet, 0.1, 2.0, 200)
