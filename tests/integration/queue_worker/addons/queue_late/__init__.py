"""An addon that is installed while workers run."""
