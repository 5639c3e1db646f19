"""`catalog doctor`: whether this machine and this store are fit for the night."""

from collections.abc import Callable, Iterator
from functools import partial

from jobs import machine_checks as machine
from jobs import store_checks as kept
from jobs.findings import Diagnosis, Finding, wrong
from jobs.settings import Settings, store_of

Check = Callable[[], Iterator[Finding]]


def examine(settings: Settings) -> Diagnosis:
    """Look at everything; what can't be looked at is a finding, too."""
    store = store_of(settings)
    checks: dict[str, Check] = {
        "python": machine.check_python,
        "packages": machine.check_packages,
        "decoding": partial(machine.check_decoding, settings),
        "weights": partial(machine.check_weights, settings),
        "gpu": machine.check_gpu,
        "file system": partial(kept.check_file_system, store),
        "room": partial(kept.check_room, store),
        "clock": partial(kept.check_clock, store),
        "lock": partial(kept.check_lock, store),
        "store": partial(kept.check_store, store),
        "models": partial(kept.check_models, store),
    }
    return Diagnosis(
        [finding for about, check in checks.items() for finding in _found(about, check)]
    )


def _found(about: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - a doctor who faints helps nobody
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        yield wrong(about, f"could not be looked at: {said}", "see to that first")
