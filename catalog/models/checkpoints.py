"""What a phase of a training keeps while it learns, so that a killed one goes on.

Keras's BackupAndRestore and ModelCheckpoint write in place: killed in the middle of it they leave
what can't be read again. Here each file appears whole, and the folder may be on a full disk.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from sql.files import write_bytes, write_text

Row = dict[str, Any]


class Checkpoints:
    """The files of one phase in the folder of a training.

    `phase`-after-N.weights.h5 has weights and optimiser after epoch N, `phase`-best-N those of the
    best epoch so far, `phase`-done those that the phase came to; `phase`.json tells each epoch.
    """

    def __init__(self, folder: Path, phase: str) -> None:
        self._folder, self._phase = folder, phase

    @property
    def is_done(self) -> bool:
        """Whether the phase came to its end."""
        return self._path("done").exists()

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

    def save(self, network: keras.Model, what: str) -> None:
        """Keep the weights of a compiled network, and its optimiser, as after-N, best-N or done.

        StoreTrouble when the disk is full: HDF5 itself would bring the process down.
        """
        with TemporaryDirectory() as scratch:
            draft = Path(scratch) / "draft.weights.h5"
            network.save_weights(draft)
            write_bytes(self._path(what), draft.read_bytes())

    def take_up(self, network: keras.Model, what: str) -> None:
        """Give a compiled network the weights, and the optimiser, that were kept."""
        if not network.optimizer.built:
            network.optimizer.build(network.trainable_variables)
        network.load_weights(self._path(what))

    def drop(self, what: str) -> None:
        """Forget what was kept, if it was."""
        self._path(what).unlink(missing_ok=True)

    @property
    def _told(self) -> Path:
        return self._folder / f"{self._phase}.json"

    def _path(self, what: str) -> Path:
        return self._folder / f"{self._phase}-{what}.weights.h5"
