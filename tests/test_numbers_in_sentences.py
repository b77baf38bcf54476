"""Numbers in sentences are written by `gd_core/words.py`, and in the browser by `pages/ui/look/numbers.js`: nowhere else.

A whole number with commas, `{rows:,}`, is the one thing that an f-string may write itself, unless a noun follows that
"1" would leave without its s: that is `counted`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {  # what an f-string formats, and why it is no number of a sentence
    "gd_core/words.py": {None: "it is the formatter"},
    "gd_core/cli/commands.py": {
        "{row.ours:.12g}": "beside a printed number, in a table for other programs",
        "{row.difference:.1e}": "the same",
    },
    "gd_core/published.py": {
        "{ours:.{places}f}": "with as many places as the printed number beside it",
        "{ours:.6g}": "the same",
    },
    "gd_core/remedies.py": {"{((root - 1) / (root + 1)) ** 2:.2g}": "rounds a value"},
    "gd_core/settings/experiment_fields.py": {
        "{math.floor(rate / unit * (1 + 1e-12)) * unit:.2e}": "rounds a value",
        "{self.low:.12g}": "a bound as one types it",
    },
    "gd_core/landscape.py": {
        "{number:.{digits}g}": "rounds a value",
        "{number:.7g}": "rounds a value",
        "{place:.4g}": "rounds a value",
    },
    "gd_core/reasons/tolerance.py": {
        "{math.floor(there / power * (1 + 1e-12)) * power:.0e}": "rounds a value"
    },
    "gd_core/settings/pins.py": {"{experiment.learning_rate:.4g}": "a rate as one types it, in a name"},
    "gd_core/settings/fields.py": {
        "{self.low:,.12g}": "bounds as one types them",
        "{self.high:,.12g}": "the same",
    },
    "pages/ui/settings/form.py": {"{low:,.12g}": "bounds as one types them", "{high:,.12g}": "the same"},
    "pages/ui/settings/page_settings.py": {
        "{low:,.12g}": "bounds as one types them",
        "{high:,.12g}": "the same",
    },
    "pages/ui/train/train_settings.py": {
        "{field.low:,.12g}": "bounds as one types them",
        "{field.high:,.12g}": "the same",
    },
    "gd_core/tables/columns.py": {
        "{number:.12g}": "a mark for missing as it stands in the file",
        "{end:.12g}": "is matched, not said",
    },
    "gd_core/settings/task.py": {"{LARGEST_RMSE:g}": "a bound as one types it"},
    "gd_core/lessons/landscape.py": {"{exact:.{digits}g}": "rounds a value"},
    "gd_core/lessons/learning_rate/four_rates.py": {
        "{best:.{digits}g}": "rounds a value",
        "{rate:.6g}": "the same",
        "{rate:.{digits}g}": "the same",
    },
    "pages/ui/charts/gradient.py": {"{10 ** power:.1e}": "rounds a value"},
    "pages/ui/charts/learning_rate/sweep.py": {
        "{ends[0] ** (1 - share) * ends[1] ** share:.3g}": "rounds a value"
    },
    "pages/ui/lessons/landscape/starts.py": {"{value:.8g}": "rounds a value"},
    "pages/ui/lessons/variants.py": {"{number:.6g}": "rounds a value"},
    "pages/ui/lessons/broadcasting.py": {
        "{value:.4f}": "a column with as many places as the article printed",
        "{abs(value):.{PRINTED_DIGITS}f}": "the same",
        "{value:+.{PRINTED_DIGITS}f}": "the same",
        "{made:+.1f}": "the plane of the data, one place in every row",
    },
    "pages/ui/takeaway/pictures.py": {"{value:.7g}": "rounds a value"},
}
NOUNS = (
    r"^ (?:more )?(?:blank |missing |held-out |training |drawn )?(?:epochs|updates|rows|points|runs|cells|columns|"
    r"parameters|steps|batches|characters|bytes|numbers|features|variants|questions|layers)\b"
)
SCRIPTS = {  # JavaScript that rounds, and why it is no number of a sentence
    "pages/ui/look/numbers.js": "it is the formatter",
    "pages/ui/train/draw.js": "places in a drawing, and points on a grid",
    "pages/ui/train/rate.js": "rounds a value",
}
TICKS = ("pages/ui/charts/elements.py",)  # labels of an axis, which Vega writes


def files(suffix: str) -> list[str]:
    """Of the source."""
    found = [
        path.relative_to(ROOT).as_posix()
        for room in ("gd_core", "pages")
        for path in (ROOT / room).rglob(f"*{suffix}")
    ]
    return sorted(found)


def formatted(tree: ast.AST) -> Iterator[tuple[ast.FormattedValue, str, str]]:
    """Every place of an f-string with a format, that format, and the text behind it."""
    for text in ast.walk(tree):
        if isinstance(text, ast.JoinedStr):
            for place, after in zip(text.values, [*text.values[1:], None], strict=True):
                if isinstance(place, ast.FormattedValue) and place.format_spec is not None:
                    spec = ast.unparse(place.format_spec)[2:-1]
                    behind = after.value if isinstance(after, ast.Constant) else ""
                    yield place, spec, str(behind)


@pytest.mark.parametrize("name", files(".py"))
def test_no_f_string_forms_a_number(name: str):
    """No format but that of whole numbers, and no plural by hand."""
    tree, allowed = ast.parse((ROOT / name).read_text(encoding="utf-8")), ALLOWED.get(name, {})
    if None in allowed:
        return
    for place, spec, behind in formatted(tree):
        text = ast.unparse(place)
        if text in allowed:
            continue
        assert spec == ",", f"{name}:{place.lineno}: {text} is for gd_core/words.py"
        constant = isinstance(place.value, ast.Name) and place.value.id.isupper()  # more than 1
        assert constant or not re.match(NOUNS, behind), (
            f"{name}:{place.lineno}: {text}{behind[:12]} is words.counted"
        )
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            ends = {end.value for end in (node.body, node.orelse) if isinstance(end, ast.Constant)}
            assert "s" not in ends, f"{name}:{node.lineno}: a plural by hand; there is words.counted"
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mult)
            and isinstance(node.left, ast.Constant)
        ):
            assert node.left.value != "s", f"{name}:{node.lineno}: a plural by hand; there is words.counted"


def test_what_is_allowed_is_there():
    """An entry whose number is gone goes as well."""
    for name, allowed in ALLOWED.items():
        found = {
            ast.unparse(place)
            for place, _, _ in formatted(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        }
        assert set(allowed) - {None} <= found, name


@pytest.mark.parametrize("name", files(".js"))
def test_no_script_forms_a_number(name: str):
    """Whoever needs one calls those of `numbers.js`."""
    found = re.findall(
        r"\.(?:toPrecision|toFixed|toExponential|toLocaleString)\b", (ROOT / name).read_text(encoding="utf-8")
    )
    assert not found or name in SCRIPTS


@pytest.mark.parametrize(
    "name", [name for name in files(".py") if name.startswith("pages/ui/charts/") and name not in TICKS]
)
def test_no_label_of_a_chart_forms_a_number(name: str):
    """What stands on a chart comes as text with its data: Vega writes numbers in another way."""
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert "format(" not in node.value, f"{name}:{node.lineno}"
