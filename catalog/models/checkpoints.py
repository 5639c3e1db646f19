"""What a phase of a training keeps while it learns, so that a killed one goes on.

Keras's BackupAndRestore and ModelCheckpoint write in place: killed in the middle of it they leave
what can't be read again. Here each file appears whole.
"""

import json
from pathlib import Path
from typing import Any

import keras

from sql.files import write_text

Row = dict[str, Any]


class Checkpoints:
    """The files of one phase in the folder of a training.

    `phase`-after-N.weights.h5 has weights and optimiser after epoch N, `phase`-best those of the
    best epoch so far, `phase`-done those that the phase came to; `phase`.json tells each epoch.
    """

    def __init__(self, folder: Path, phase: str) -> None:
        self._folder, self._phase = folder, phase
        self.best, self.done = self._path("best"), self._path("done")

    @property
    def epochs(self) -> int:
        """After how many epochs an interrupted phase can go on."""
        found = self._folder.glob(f"{self._phase}-after-*.weights.h5")
        return max((int(path.name.split("-after-")[1].split(".")[0]) for path in found), default=0)

    @property
    def rows(self) -> list[Row]:
        """What was told of the epochs of a phase, in their order."""
        try:
            rows: list[Row] = json.loads(self._told.read_text())
        except FileNotFoundError:
            return []
        return rows

    def tell(self, rows: list[Row]) -> None:
        """Keep what is told of the epochs so far."""
        write_text(self._told, json.dumps(rows))

    def save(self, network: keras.Model, path: Path) -> None:
        """Keep the weights of a compiled network, and its optimiser, as `best` or `done`."""
        draft = self._folder / "draft.weights.h5"
        network.save_weights(draft)
        draft.replace(path)

    def after(self, network: keras.Model, epochs: int) -> None:
        """Keep a network as it is after so many epochs."""
        self.save(network, self._path(f"after-{epochs}"))
        self._path(f"after-{epochs - 1}").unlink(missing_ok=True)

    def take_up(self, network: keras.Model, path: Path | None = None) -> None:
        """Give a compiled network the weights of a file, or those after the last epoch."""
        network.optimizer.build(network.trainable_variables)
        network.load_weights(path or self._path(f"after-{self.epochs}"))

    @property
    def _told(self) -> Path:
        return self._folder / f"{self._phase}.json"

    def _path(self, what: str) -> Path:
        return self._folder / f"{self._phase}-{what}.weights.h5"
