"""`python -m tunesmith_cli` is the command `tunesmith`."""

import sys

from tunesmith_cli.main import main

sys.exit(main())
