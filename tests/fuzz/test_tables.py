"""A short form of the fuzz of the table reader; `run` with other seeds and more files is the long one."""

from tests.fuzz.tables import run


def test_no_file_breaks_the_reader():
    """A table of finite numbers, or one sentence; within seconds, in bounded memory."""
    run(seed=1, count=150)
