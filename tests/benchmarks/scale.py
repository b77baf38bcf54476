"""How training on a large table scales from one process to two, and on paper to a thousand.

python tests/benchmarks/scale.py          prints the section of docs/scale.md that holds figures
python tests/benchmarks/scale.py --write  puts it there

Measured is what the processes do once they run: not Python's start, which is the same for any table. One process, two
that share the file, and two strangers take turns; medians. Strangers know nothing of each other and read the whole file
each: how much longer that takes than one alone says what two cores of this machine are worth.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "scale.md"
MARKS = "<!-- figures -->\n", "<!-- end of figures -->\n"
ROWS, COLUMNS, BATCH, UPDATES = 1_000_000, 10, 4096, 200
SIZES = (16, 65_536, 1_048_576)  # numbers in an all-reduce
NETWORK = 50e-6, 8 / 1.25e9  # α in s a message, β in s a number: Ethernet of 10 Gbit/s
NODES = (1, 2, 10, 100, 1000)
GIGA_ROWS = 1e9


def measured_by_a_rank(csv: str, parquet: str) -> dict[str, list[float]]:
    """What one process of the group takes, as [seconds, seconds of processor]."""
    import torch

    sys.path.insert(0, str(ROOT))
    from gd_core.large.distributed import Group
    from gd_core.large.run import LargeRun
    from gd_core.large.training import first_point, look_through, problem_of, with_batches
    from gd_core.tables.streaming import Reader, open_table

    torch.set_num_threads(1)
    group, found = Group.join(), {}
    run = LargeRun.of({"target": "y", "batch_size": BATCH, "learning_rate": "0.01"})
    barrier = torch.zeros(1, dtype=torch.float64)

    def timed(name, work):
        group.sum(barrier)
        clock, processor = time.perf_counter(), time.process_time()
        result = work()
        group.sum(barrier)
        found[name] = [time.perf_counter() - clock, time.process_time() - processor]
        return result

    for name, path in (("csv", csv), ("parquet", parquet)):
        source = open_table(Path(path))
        run = run.on(source.reading.table)
        reader = Reader(source, run.features, run.target)
        look = partial(look_through, run, reader, group, lambda share: None)
        _, seen = timed(f"pass, {name}", look)
    problem = problem_of(run, seen.moments)
    points = with_batches(problem, first_point(problem), reader, group, lambda share: None)
    next(points)
    timed("epoch of mini-batches, parquet", lambda: next(points))
    for size in SIZES:
        numbers = torch.zeros(size, dtype=torch.float64)
        count = UPDATES if size < 1e5 else 20
        timed(f"sum {size}", lambda numbers=numbers, count=count: [group.sum(numbers) for _ in range(count)])
        found[f"sum {size}"] = [one / count for one in found[f"sum {size}"]]
    group.close()
    return found


def launched(size: int, *files: str) -> dict[str, list[float]]:
    """The slowest clock and the busiest processor among so many processes."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    common = os.environ | {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            [sys.executable, __file__, "--rank", *files],
            env=common | {"WORLD_SIZE": str(size), "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    said = [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]
    return {name: [max(one[name][i] for one in said) for i in (0, 1)] for name in said[0]}


def strangers(*files: str) -> dict[str, list[float]]:
    """The slower one's clock and processor, of two processes that each do all of the work at the same time."""
    with ThreadPoolExecutor(2) as both:
        said = list(both.map(lambda _: launched(1, *files), range(2)))
    return {name: [max(one[name][i] for one in said) for i in (0, 1)] for name in said[0]}


def make_files(folder: Path) -> tuple[str, str]:
    """A table as CSV and as Parquet, of sixteen row groups."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    generator = np.random.default_rng(0)
    x = generator.normal(size=(ROWS, COLUMNS)).round(4)
    y = (x @ np.arange(1, COLUMNS + 1) + 3 + generator.normal(size=ROWS)).round(4)
    table = pa.table({**{f"x{i}": x[:, i] for i in range(COLUMNS)}, "y": y})
    csv.write_csv(table, folder / "t.csv")
    parquet.write_table(table, folder / "t.parquet", row_group_size=ROWS // 16)
    return str(folder / "t.csv"), str(folder / "t.parquet")


def report(repeats: int) -> str:
    """The section, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        ways = {
            1: partial(launched, 1, *files),
            2: partial(launched, 2, *files),
            "strangers": partial(strangers, *files),
        }
        rounds = [{way: measure() for way, measure in ways.items()} for _ in range(repeats)]
    median = {
        (way, name): [statistics.median(one[way][name][i] for one in rounds) for i in (0, 1)]
        for way in ways
        for name in rounds[0][1]
    }
    lines = [
        f"{ROWS:,} rows of {COLUMNS} features, {os.cpu_count()} cores, median of {repeats}; the load of the machine meanwhile: {os.getloadavg()[0]:.0f}.",
        "",
        "| | 1 process | 2 processes | ratio | two cores are worth |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in ("pass, csv", "pass, parquet", "epoch of mini-batches, parquet"):
        clock, shared, apart = (median[way, name][0] for way in ways)
        lines.append(
            f"| {name} | {clock:.2f} s | {shared:.2f} s | {clock / shared:.2f} | {2 * clock / apart:.2f} |"
        )
    small, large = (median[2, f"sum {size}"][0] for size in (SIZES[0], SIZES[-1]))
    alpha = small / 2  # 2 (W − 1) messages one after another
    beta = max(large - small, 0.0) / SIZES[-1]  # 2 (W − 1)/W of the numbers
    lines += [
        "",
        f"An all-reduce of {SIZES[0]} numbers between two processes takes {small * 1e6:,.0f} µs, of {SIZES[-1]:,} numbers "
        f"{large * 1e3:,.1f} ms: here α = {alpha * 1e6:,.0f} µs a message and β = {beta * 1e9:,.1f} ns a number.",
        "",
        *on_paper(median),
    ]
    return "\n".join(lines) + "\n"


def on_paper(median: dict[tuple[int | str, str], list[float]]) -> list[str]:
    """A pass over a billion rows, and an update of mini-batches, for up to a thousand machines with one process each."""
    alpha, beta = NETWORK
    row = median[1, "pass, parquet"][1] / ROWS
    step = median[1, "epoch of mini-batches, parquet"][1] / ROWS
    parameters = COLUMNS + 1
    lines = [
        f"On paper, over a network with α = {alpha * 1e6:.0f} µs and 10 Gbit/s (β = {beta * 1e9:.1f} ns a number of 8 bytes), "
        f"with {row * 1e6:.2f} µs of processor a row of a pass and {step * 1e6:.2f} µs a row of mini-batches as measured; "
        f"P = {parameters}, B = {BATCH:,} rows a process:",
        "",
        "| processes W | pass over 10⁹ rows | of it sending | speed-up | update of W·B rows | of it sending | efficiency |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for nodes in NODES:
        rounds = 2 * (nodes - 1).bit_length()
        tree = rounds * (alpha + beta * (parameters + 1) ** 2)
        whole = GIGA_ROWS * row / nodes + tree
        ring = 2 * (nodes - 1) * (alpha + beta * (parameters + 2) / nodes)
        update = BATCH * step + ring
        lines.append(
            f"| {nodes:,} | {whole:,.2f} s | {tree * 1e3:.1f} ms | {GIGA_ROWS * row / whole:,.0f} "
            f"| {update * 1e3:.2f} ms | {ring * 1e3:.2f} ms | {BATCH * step / update:.0%} |"
        )
    return lines


def main() -> None:
    """Print the section, or write it."""
    if sys.argv[1:2] == ["--rank"]:
        print(json.dumps(measured_by_a_rank(*sys.argv[2:])))
        return
    text = report(repeats=5)
    print(text)
    if "--write" in sys.argv:
        before, after = MARKS
        old = DOCUMENT.read_text(encoding="utf-8")
        pattern = f"(?s){re.escape(before)}.*{re.escape(after)}"
        DOCUMENT.write_text(re.sub(pattern, lambda _: f"{before}\n{text}\n{after}", old), encoding="utf-8")


if __name__ == "__main__":
    main()
