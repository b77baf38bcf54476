"""A short form of the fuzz; `make fuzz` is the long one."""

from tests.fuzz import records


def test_no_spoilt_record_ends_in_anything_but_a_run_or_a_sentence():
    """Both kinds, both formats, spoilt in every way."""
    records.run(seed=1, count=150)
