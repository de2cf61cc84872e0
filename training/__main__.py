"""`python -m training CONFIG ...` is `emoscope train CONFIG ...`."""

import sys

from training.train_command import main

sys.exit(main(sys.argv[1:]))
