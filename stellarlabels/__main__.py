"""``python -m stellarlabels``."""

import sys

from stellarlabels.cli import main

if __name__ == "__main__":
    sys.exit(main())
