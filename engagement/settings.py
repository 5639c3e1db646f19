"""What a user may say about high and low. Imports nothing heavy."""

from dataclasses import dataclass

from catalog.models.settings import TrainSettings

RULE = "likes > 10000"
MIN_AGE_HOURS = 48.0
SPLITS = ("account", "time", "random")

TRAINING = TrainSettings(backbone="mobilenetv2", image_size=224, batch_size=32, fine_tune_layers=50)
"""How a classifier is trained when nothing else is said."""


@dataclass(frozen=True)
class EngagementSettings:
    """What was said; None where nothing was, so that a model's own choice stands."""

    high: str | None = None  # what is high: see engagement.labels.Rule
    min_age_hours: float | None = None  # between posting and collecting, to be labelled
    split: str | None = None  # one of SPLITS

    def __post_init__(self) -> None:
        if self.high is not None and not isinstance(self.high, str):
            raise ValueError(f'high is a rule such as "{RULE}", not {self.high!r}')
        if self.split is not None and self.split not in SPLITS:
            raise ValueError(f"split is one of {', '.join(SPLITS)}, not {self.split!r}")
        hours = self.min_age_hours
        if hours is not None and not (isinstance(hours, int | float) and 0 <= hours <= 24 * 365):
            raise ValueError(f"min_age_hours is 0 to {24 * 365}, not {hours!r}")
