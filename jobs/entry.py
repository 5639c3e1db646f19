"""Where the command starts: what has to be said before any library is loaded."""

import gc
import os
import signal


def main() -> None:
    """Run `catalog`. Does not return."""
    # NumPy's BLAS starts a thread a core as it is loaded, and each spins for a tenth of a second.
    # A night has nothing for them to do; in a training they would save seconds of its minutes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Modules are no garbage: looking for some among them, again and again, takes a fifth of their
    # loading. They must not be frozen: they would be there at the end, and DuckDB call them leaked.
    gc.disable()
    # Nothing has begun yet: Ctrl-C needs no words, and none of Python's.
    python_stops = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if python_stops:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from jobs.cli import main as run  # noqa: PLC0415 - see above

    if python_stops:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.enable()
    run()
