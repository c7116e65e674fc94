"""thecal follows bone cement: where every drop of a vertebroplasty went. Research use only."""

__version__ = "0.1.0"
