"""What tests of the core share."""

import pytest

from gd_core.cli import commands as command_line


@pytest.fixture
def run(capsys):
    """The command in this process: exit status, output, errors."""

    def run(*arguments):
        capsys.readouterr()
        try:
            status = command_line.main([str(one) for one in arguments])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run
