"""How an image model is trained: the choices a user has. Imports nothing heavy."""

from dataclasses import dataclass

CHANGES = ("mirror", "shift", "zoom", "erase")


@dataclass(frozen=True)
class TrainSettings:
    """Each field but `fold` and `changes` is a flag of the training command."""

    backbone: str = "efficientnetb0"  # efficientnetb0, mobilenetv2 or cnn
    weights: str = "imagenet"  # imagenet, none, or the path of a file
    image_size: int = 128  # pixels a side
    epochs: int = 40  # at the most, in each phase
    batch_size: int = 64
    dense_units: int = 0  # of a dense layer in each branch; 0 for none
    fine_tune_layers: int = 20  # unfrozen in phase two; 0 for no phase two
    fine_rate: float = 1e-5  # of phase two, at its beginning
    fine_epochs: int = 0  # of phase two at the most; 0 for as many as of phase one
    changes: tuple[str, ...] = ("mirror",)  # of CHANGES, by chance while learning
    seed: int = 0
    fold: int = 0  # which fifth of the picture groups tests, 0 to 4

    _COUNTS = ("dense_units", "fine_tune_layers", "fine_epochs", "seed")
    _SMALLEST = 32  # pixels a side

    def __post_init__(self) -> None:
        for name in ("image_size", "epochs", "batch_size", *self._COUNTS):
            if not isinstance(getattr(self, name), int):
                raise ValueError(  # noqa: TRY004 - one kind of error for a setting that is no good
                    f"{name} must be a whole number, not {getattr(self, name)!r}"
                )
        for name in ("image_size", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        for name in self._COUNTS:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if not self._SMALLEST <= self.image_size <= 1024:
            raise ValueError(
                f"image_size must be {self._SMALLEST} to 1024 pixels, not {self.image_size}"
            )
        if not 0 < self.fine_rate <= 10:
            raise ValueError(f"fine_rate is above 0 and at most 10, not {self.fine_rate!r}")
        if unknown := set(self.changes) - set(CHANGES):
            raise ValueError(f"changes are {', '.join(CHANGES)}, not {min(unknown)!r}")
