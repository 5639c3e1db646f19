"""What a classifier says, by name. Imports nothing."""

TASK = "engagement"
HEAD = "engagement"

CLASSES = ("low", "high")
"""In the order of the outputs. The folders of training are called so, and read in this order."""
