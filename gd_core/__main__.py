"""The same runs without a browser.

python -m gd_core train noisy-quadratic --learning-rate 1e-5 --epochs 10
python -m gd_core train --table measurements.parquet --target y --record run.json
python -m gd_core script noisy-quadratic --flavour torch-optim
python -m gd_core reproduce
"""

import sys

from gd_core.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
