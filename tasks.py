"""The tasks of this repository: `./inv --list`."""

from attune_dev.cli.bench import bench
from attune_dev.cli.namespace import namespace
from attune_dev.cli.quality import check, run_tests
from attune_dev.cli.soak import soak

ns = namespace(run_tests, check, bench, soak)
