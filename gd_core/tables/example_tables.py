"""Three small tables that come with the app: words about them. The numbers stand in `tables/`. No NumPy here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class ExampleTable:
    """A table to try.

    Attributes:
        title: Name on the page.
        help: One sentence for a student.
        target: Name of the column that is predicted.
        features: Names of the columns it is predicted from.
        degree: Of the polynomial; 1 is a line or a plane.
        source: Who measured or published it.
        licence: On what terms it is here.
    """

    title: str
    help: str
    target: str
    features: tuple[str, ...]
    degree: int = 1
    source: str
    licence: str


FACTS = "Public domain: measured numbers are facts, and the file is given as CC0."

EXAMPLE_TABLES: Mapping[str, ExampleTable] = MappingProxyType(
    {
        "cars": ExampleTable(
            title="Stopping distances",
            help="How far 50 cars of the 1920s rolled until they stood, from different speeds.",
            target="distance (ft)",
            features=("speed (mph)",),
            source="M. Ezekiel, “Methods of Correlation Analysis”, Wiley, 1930; known from R as cars",
            licence=FACTS,
        ),
        "trees": ExampleTable(
            title="Cherry trees",
            help="Girth, height and timber volume of 31 felled black cherry trees.",
            target="volume (ft³)",
            features=("girth (in)", "height (ft)"),
            source="T. Ryan, B. Joiner and B. Ryan, “The Minitab Student Handbook”, Duxbury, 1976; known from R as trees",
            licence=FACTS,
        ),
        "anscombe": ExampleTable(
            title="Anscombe’s quartet",
            help="Four sets with the same straight line. The second is a parabola: try degree 2.",
            target="y2",
            features=("x",),
            degree=2,
            source="F. J. Anscombe, “Graphs in Statistical Analysis”, The American Statistician 27, 1973",
            licence="Public domain: published numbers are facts, and the file is given as CC0.",
        ),
    }
)
