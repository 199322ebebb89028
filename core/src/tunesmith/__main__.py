"""`python -m tunesmith` is the command `tunesmith`."""

import sys

from tunesmith.cli.main import main

sys.exit(main())
