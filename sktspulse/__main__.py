"""``python -m sktspulse`` is the command ``sktspulse``."""

import sys

from .cli import main

sys.exit(main())
