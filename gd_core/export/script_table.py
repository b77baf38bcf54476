"""The rows of a table of one's own in a script: written into it if they are few, or else read from the user's file."""

import textwrap

from gd_core.export.script_text import WIDTH, Part, listed, plain, quoted
from gd_core.settings.experiment import Experiment
from gd_core.settings.table_fields import table_at_hand

FEW = 4000  # characters of numbers that are written into a script: some forty lines
NO_BREAK = "\u00a0"  # between the numbers of a row, which stays on one line
SHOWN_NAME = 40  # characters of a column's name in a comment
AS_IT_IS = (
    "your table, saved beside this script as table.csv, with commas between the cells, decimal points, and the names of the "
    "columns in the first row."
)
FROM_THE_LAB = (
    "your table as the lab read it, with words, dates and numbers as it says, saved beside this script as table.csv: under "
    "Take away, or by python -m gd_core table."
)


def table_part(experiment: Experiment) -> Part:
    """`x` [N, D] and `y` [N], as `table.used` picks them."""
    text = _rows(experiment)
    return _read(experiment) if text is None else _written(experiment, text)


def filled(experiment: Experiment) -> list[str]:
    """The line that fills the gaps of a read table, where only the training rows are to make the mean."""
    if experiment.missing != "mean" or not is_read(experiment):
        return []
    return ["x = x.where(~x.isnan(), x[training].nanmean(0))  # the mean of the training rows fills the gaps"]


def number_part(experiment: Experiment) -> list[Part]:
    """The function that `table_part` reads a cell with, where cells may hold no number."""
    if experiment.missing == "refuse" or not is_read(experiment):
        return []
    code = """def number(cell):
    \"\"\"What a cell holds; not a number where it is empty or holds words.\"\"\"
    try:
        return float(cell)
    except ValueError:
        return float("nan")"""
    return [Part("", code, defines=True)]


def is_read(experiment: Experiment) -> bool:
    """Whether the script reads the user's file."""
    return experiment.dataset == "table" and _rows(experiment) is None


def _rows(experiment: Experiment) -> str | None:
    """Features and target of every row that is fitted, or None if that is long."""
    columns = len(experiment.features) + 1
    if 2 * experiment.points * columns > FEW:
        return None
    from gd_core.problem import dataset_of

    data = dataset_of(experiment)
    pairs = zip(data.x.tolist(), data.y.squeeze(1).tolist(), strict=True)
    text = "; ".join(NO_BREAK.join(repr(n).removesuffix(".0") for n in (*x, y)) for x, y in pairs)
    return text if len(text) <= FEW else None


def _written(experiment: Experiment, text: str) -> Part:
    lines = textwrap.wrap(
        text, WIDTH - 8, break_long_words=False, break_on_hyphens=False, drop_whitespace=False
    )
    rows = "\n".join(f'    "{line}"' for line in lines)
    code = f"""rows = (
{rows}
)
table = torch.tensor([[float(n) for n in row.split()] for row in rows.split(";")], dtype=torch.float64)
x, y = table[:, :-1], table[:, -1]"""
    if len(lines) == 1:
        code = code.replace(f"(\n{rows}\n)", rows.strip())
    names = ", ".join(_short(name) for name in experiment.features)
    of = " of the training rows" if experiment.holdout else ""
    gaps = {"drop": " Incomplete rows are left out.", "mean": f" Means{of} stand in for missing numbers."}
    said = gaps.get(experiment.missing, "")
    return Part(f"The data: {names}; then the target, {_short(experiment.target)}.{said}", code)


def _read(experiment: Experiment) -> Part:
    number, gaps = "number", ""
    match experiment.missing:
        case "drop":
            gaps = """
whole = ~torch.cat([x, y.unsqueeze(1)], 1).isnan().any(1)
x, y = x[whole], y[whole]  # rows without a gap"""
        case "mean" if experiment.holdout:
            gaps = """
x, y = x[~y.isnan()], y[~y.isnan()]  # rows with a target; other gaps are filled below"""
        case "mean":
            gaps = """
x = torch.where(x.isnan(), x.nanmean(0), x)  # a column's mean fills its gaps
x, y = x[~y.isnan()], y[~y.isnan()]"""
        case "refuse":
            number = "float"
        case unknown:
            raise ValueError(f"missing must be one that a script knows. Got {unknown}.")
    code = f"""features = {listed(map(quoted, experiment.features))}
target = {quoted(experiment.target)}
with open("table.csv", newline="", encoding="utf-8-sig") as file:
    rows = list(csv.DictReader(file))
x = torch.tensor([[{number}(row[name]) for name in features] for row in rows], dtype=torch.float64)
y = torch.tensor([{number}(row[target]) for row in rows], dtype=torch.float64){gaps}"""
    return Part(f"The data: {FROM_THE_LAB if needs_its_numbers(experiment) else AS_IT_IS}", code)


def needs_its_numbers(experiment: Experiment) -> bool:
    """Whether the script reads a file that is not the user's own: one with the numbers that words and dates became."""
    table = table_at_hand(experiment.table)
    return (
        is_read(experiment)
        and table is not None
        and any(one.columns and one.kind != "set aside" for one in table.read_as)
    )


def table_file(experiment: Experiment) -> str:
    """What a script reads as table.csv: the numbers of the experiment's table, with all their digits."""
    from gd_core.tables.table import find, to_csv

    return to_csv(find(experiment.table))


def _short(name: str) -> str:
    text = plain(name)
    return text if len(text) <= SHOWN_NAME else text[: SHOWN_NAME - 1] + "…"
