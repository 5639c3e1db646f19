"""How a classifier of pictures by class is trained: what a recipe says. Imports nothing heavy."""

from dataclasses import asdict, dataclass
from typing import Any

from catalog.models.settings import TrainSettings

# As catalog.models has them, which takes seconds to load.
SMALL_NETWORKS = ("dense", "convolutions", "residual")
SCHEDULES = ("constant", "cosine", "exponential")


@dataclass(frozen=True)
class ClassSettings(TrainSettings):
    """The choices of a training that has one class a picture; rates are those at the beginning."""

    backbone: str = "mobilenetv2"  # or one of SMALL_NETWORKS, which start from nothing
    channels: int = 3  # 1 for grey pictures
    several_depths: bool = False  # features of more layers than the last; a backbone's
    standardised: bool = False  # features to mean 0 and spread 1; a backbone's
    changes: tuple[str, ...] = ()
    dropout: float = 0.0
    decay: float = 0.0  # L2 penalty of the classes' layer
    schedule: str = "constant"
    rate: float = 1e-3  # of phase one
    fine_epochs: int = 10
    smoothing: float = 0.0  # of the labels
    keep_best: bool = False  # the epoch that validates best, else the last one
    mirrored: bool = False  # answers are the mean over a picture and its mirror image
    validation: float = 0.1  # of the training set

    _SMALLEST = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule is {' or '.join(SCHEDULES)}, not {self.schedule!r}")
        if self.channels not in (1, 3) or (self.channels == 1 and not self.small):
            raise ValueError(
                f"channels is 3, or 1 with {', '.join(SMALL_NETWORKS)}:"
                f" {self.channels!r} is nothing for {self.backbone}"
            )
        if self.small and self.weights not in ("imagenet", "none"):
            raise ValueError(f"{self.backbone} is trained from nothing: it takes no weights")
        for name in ("several_depths", "standardised", "keep_best", "mirrored"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is true or false, not {getattr(self, name)!r}")  # noqa: TRY004 - as above
        self._check_numbers()

    @property
    def used(self) -> dict[str, Any]:
        """The choices that mean something for the network, for its card."""
        told = asdict(self)
        idle = {"dense_units", "fold"}
        if self.small:
            idle |= {name for name in told if name.startswith("fine_")}
            idle |= {"weights", "several_depths", "standardised"}
        return {name: value for name, value in told.items() if name not in idle}

    def _check_numbers(self) -> None:
        if not 0 < self.rate <= 10:
            raise ValueError(f"rate is above 0 and at most 10, not {self.rate!r}")
        for name in ("dropout", "decay", "smoothing", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a share below 1, not {getattr(self, name)!r}")
        if not self.validation:
            raise ValueError("validation is above 0: it is what an epoch is judged by")

    @property
    def small(self) -> bool:
        """Whether the network is one of SMALL_NETWORKS."""
        return self.backbone in SMALL_NETWORKS
