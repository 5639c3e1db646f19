"""Model folders that a stranger might hand over, each with how it must be refused.

`python -m tests.hostile_models MODEL FOLDER` spoils copies of the model folder MODEL in FOLDER,
opens each as the project does and then in the naive way, and prints what came of it as JSON.
"""

import importlib.util
import json
import os
import pickle
import resource
import shutil
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.models.artefact import CARD, KERAS, LITERT, SPLIT, ModelRefused, load_card, sha256
from catalog.models.runtime import Runtime
from catalog.models.splits import Member, write_split

CANARY = "canary"
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
# A naive opener may take so much address space, of which TensorFlow has some already.
NAIVE_BYTES = 6 * 2**30


@dataclass(frozen=True)
class Case:
    """What is done to a copy of a model, who opens it, and words that the refusal holds."""

    name: str
    spoil: Callable[[Path], object]
    opens: str  # card, runtime, keras or split
    words: str


def card(folder: Path, **changes: object) -> None:
    """Change fields of card.json."""
    content = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(content | changes), encoding="utf-8")


def rehashed(folder: Path, *names: str) -> None:
    """Let the card vouch for the files as they are now: the stranger wrote it as well."""
    content = json.loads((folder / CARD).read_text(encoding="utf-8"))
    content["files"] |= {name: sha256(folder / name) for name in names}
    (folder / CARD).write_text(json.dumps(content), encoding="utf-8")


def instead(name: str, data: bytes, *, vouched: bool = True) -> Callable[[Path], None]:
    """Put other bytes in a file's place."""

    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(data)
        if vouched and name != CARD:
            rehashed(folder, name)

    return spoil


def replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something that is no file in a file's place."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return spoil


def sparse(size: int) -> Callable[[Path], None]:
    """A file of so many bytes that takes no room."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def to_passwd(path: Path) -> None:
    """A link that leads out of the store."""
    path.symlink_to("/etc/passwd")


def truncated(folder: Path) -> None:
    """The first two thirds of the network, vouched for."""
    data = (folder / LITERT).read_bytes()
    instead(LITERT, data[: len(data) * 2 // 3])(folder)


def twice(folder: Path) -> None:
    """A card with a name that stands in it twice."""
    text = (folder / CARD).read_text(encoding="utf-8")
    (folder / CARD).write_text(text.replace("{", '{"task": "other",', 1), encoding="utf-8")


def without_heads(folder: Path) -> None:
    """A card that lacks what the outputs mean."""
    content = json.loads((folder / CARD).read_text(encoding="utf-8"))
    del content["vocabulary"]
    (folder / CARD).write_text(json.dumps(content), encoding="utf-8")


# The schema of .tflite files, out of TensorFlow's folder without loading TensorFlow.
def _schema() -> Any:
    home = importlib.util.find_spec("tensorflow")
    assert home
    assert home.origin
    path = Path(home.origin).parent / "lite" / "python" / "schema_py_generated.py"
    spec = importlib.util.spec_from_file_location("tflite_schema", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network(change: Callable[[Any], object]) -> Callable[[Path], None]:
    """Change the exported network as an object, and write it back."""

    def spoil(folder: Path) -> None:
        import flatbuffers  # noqa: PLC0415 - comes with TensorFlow

        schema = _schema()
        data = (folder / LITERT).read_bytes()
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
        change(model)
        builder = flatbuffers.Builder(2**20)
        builder.Finish(model.Pack(builder), b"TFL3")
        instead(LITERT, bytes(builder.Output()))(folder)

    return spoil


def huge_tensor(model: Any) -> None:
    """Let a tensor between two layers have 2**40 numbers."""
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.operators[len(graph.operators) // 2].outputs[0]]
    tensor.shape = [1, 2**20, 2**20]


def huge_input(model: Any) -> None:
    """Ask for pictures of 16,384 pixels a side."""
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = [1, 2**14, 2**14, 3]


def custom_op(model: Any) -> None:
    """Name an operation that would have to be loaded from elsewhere."""
    code = model.operatorCodes[0]
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = 32, 32, b"os.system"


def no_numbers(model: Any) -> None:
    """Make all weights NaN."""
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) >= 256:
            nans = np.full(len(buffer.data) // 4, np.nan, np.float32)
            buffer.data = np.frombuffer(nans.tobytes(), np.uint8)


def no_signature(model: Any) -> None:
    """Leave the names of the outputs out."""
    model.signatureDefs = []


def keras(change: Callable[[dict[str, bytes]], object]) -> Callable[[Path], None]:
    """Change the members of the .keras archive."""

    def spoil(folder: Path) -> None:
        with zipfile.ZipFile(folder / KERAS) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(folder / KERAS, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        rehashed(folder, KERAS)

    return spoil


def configured(old: str, new: str) -> Callable[[Path], None]:
    """Change words of the configuration."""

    def change(members: dict[str, bytes]) -> None:
        text = members[CONFIG].decode()
        assert old in text
        members[CONFIG] = text.replace(old, new).encode()

    return keras(change)


def code(folder: Path) -> None:
    """Put a layer of Python code in the network's place: it leaves a canary when it runs."""
    import keras as library  # noqa: PLC0415 - slow

    path = str(folder / CANARY)
    touch = eval(f"lambda x: (__import__('pathlib').Path({path!r}).touch(), x)[1]")  # noqa: S307
    given = library.Input((4,))
    library.Model(given, library.layers.Lambda(touch)(given)).save(folder / KERAS)
    (folder / CANARY).unlink()
    rehashed(folder, KERAS)


def two_wide(members: dict[str, bytes]) -> None:
    """Let two layers follow each other that are each as wide as is allowed: 2**32 weights."""
    config = json.loads(members[CONFIG])
    for part in _dense(config):
        part["config"]["units"] = 65_536
        part["build_config"]["input_shape"] = [None, 65_536]
    members[CONFIG] = json.dumps(config).encode()


def _dense(config: Any) -> Iterator[dict[str, Any]]:
    if isinstance(config, dict):
        if config.get("class_name") == "Dense":
            yield config
        for value in config.values():
            yield from _dense(value)
    elif isinstance(config, list):
        for value in config:
            yield from _dense(value)


def deep(members: dict[str, bytes]) -> None:
    """Nest the configuration 100,000 times."""
    members[CONFIG] = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


def inflating(folder: Path) -> None:
    """Weights of 64 MiB of zeros in 64 KiB."""
    with zipfile.ZipFile(folder / KERAS) as archive:
        config = archive.read(CONFIG)
    with zipfile.ZipFile(folder / KERAS, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr(CONFIG, config)
        archive.writestr(WEIGHTS, bytes(2**26))
    rehashed(folder, KERAS)


def second_config(folder: Path) -> None:
    """Two members of one name: which one is read depends on who reads."""
    with zipfile.ZipFile(folder / KERAS, "a") as archive:
        archive.getinfo(CONFIG).filename = "other.json"  # or zipfile warns
        archive.writestr(CONFIG, "{}")
        archive.filelist[1].filename = CONFIG
    rehashed(folder, KERAS)


def weights(change: Callable[[Any], object]) -> Callable[[dict[str, bytes]], None]:
    """Change the HDF5 file of the weights."""

    def spoil(members: dict[str, bytes]) -> None:
        import io  # noqa: PLC0415 - only here

        import h5py  # noqa: PLC0415 - comes with Keras

        file = io.BytesIO(members[WEIGHTS])
        with h5py.File(file, "r+") as store:
            found: list[Any] = []
            store.visititems(lambda _, item: found.append(item) or None)
            change(max((x for x in found if isinstance(x, h5py.Dataset)), key=lambda x: x.size))
        members[WEIGHTS] = file.getvalue()

    return spoil


def shape_bomb(dataset: Any) -> None:
    """Claim 2**40 numbers, none of which is stored."""
    parent, name = dataset.parent, dataset.name.rsplit("/", 1)[1]
    del parent[name]
    parent.create_dataset(name, (2**20, 2**20), "f4", chunks=(1024, 1024))


def packed(dataset: Any) -> None:
    """Claim four gigabytes in a few bytes: chunks that were never written, and compression."""
    parent, name = dataset.parent, dataset.name.rsplit("/", 1)[1]
    del parent[name]
    parent.create_dataset(name, (2**15, 2**15), "f4", chunks=(1024, 1024), compression="gzip")


def link_out(dataset: Any) -> None:
    """Lead to another file."""
    import h5py  # noqa: PLC0415 - comes with Keras

    parent, name = dataset.parent, dataset.name.rsplit("/", 1)[1]
    del parent[name]
    parent[name] = h5py.ExternalLink("/etc/passwd", "/")


def pickled(folder: Path) -> bytes:
    """A pickle that leaves a canary when it is read."""
    return pickle.dumps(Touch(str(folder / CANARY)))


class Touch:
    """An object that makes a file of whoever unpickles it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def split(columns: dict[str, pa.Array]) -> Callable[[Path], None]:
    """Another split, vouched for."""

    def spoil(folder: Path) -> None:
        pq.write_table(pa.table(columns), folder / SPLIT, compression="zstd")
        rehashed(folder, SPLIT)

    return spoil


def members(*those: Member) -> Callable[[Path], None]:
    """A split of these, vouched for."""

    def spoil(folder: Path) -> None:
        write_split(folder / SPLIT, those)
        rehashed(folder, SPLIT)

    return spoil


def repeated(text: str, count: int) -> pa.Array:
    """One text many times, which a file holds once."""
    indices = pa.array(np.zeros(count, np.int8))
    return pa.DictionaryArray.from_arrays(indices, pa.array([text]))


LISTS, BLANKS = b"[" * 50 + b"1" + b"]" * 50, b" " * (5 * 2**20)
LABELS = [f"label {number}" for number in range(1_000_000)]
SYSTEM = '{"module": "os", "class_name": "function", "config": "system", "registered_name": "s"}'
CASES = (
    Case("card of bytes", instead(CARD, bytes(range(256))), "card", "not a model's card"),
    Case("card is a list", instead(CARD, b"[1, 2]"), "card", "schema"),
    Case("card is deep", instead(CARD, b'{"a":' * 10**5), "card", "not a model's card"),
    Case("card of 1 GiB", replaced(CARD, sparse(2**30)), "card", "larger than 4 MiB"),
    Case("card with NaN", lambda f: card(f, metrics={"x": float("nan")}), "card", "NaN"),
    Case("card lacks heads", without_heads, "card", "lacks vocabulary"),
    Case("card of wrong kinds", lambda f: card(f, settings=[]), "card", "settings is of the wrong"),
    Case("card says things twice", twice, "card", "stands twice"),
    Case("card names ..", lambda f: card(f, files={"../x": "0"}), "card", "not a plain name"),
    Case("card names /", lambda f: card(f, files={"/etc/passwd": "0"}), "card", "not a plain name"),
    Case("card calls itself ..", lambda f: card(f, name=".."), "card", "not a plain name"),
    Case("card is a pipe", replaced(CARD, os.mkfifo), "card", "is not a file"),
    Case("card leads out", replaced(CARD, to_passwd), "card", "not a model's card"),
    Case("card is a folder", replaced(CARD, Path.mkdir), "card", "can't be read"),
    Case("a million labels", lambda f: card(f, vocabulary={"a": LABELS}), "card", "larger than"),
    Case("embedding of 2**31", lambda f: card(f, embedding_size=2**31), "card", "embedding_size"),
    Case("another network", instead(LITERT, b"x", vouched=False), "runtime", "not the file that"),
    Case("truncated network", truncated, "runtime", "can't be loaded"),
    Case("no network", instead(LITERT, b"TFL3" * 9999), "runtime", "can't be loaded"),
    Case("a pickle", lambda f: instead(LITERT, pickled(f))(f), "runtime", "can't be loaded"),
    Case("network is a pipe", replaced(LITERT, os.mkfifo), "runtime", "is not a file"),
    Case("network leads out", replaced(LITERT, to_passwd), "runtime", "not the file that"),
    Case("network is a folder", replaced(LITERT, Path.mkdir), "runtime", "can't be read"),
    Case("network of 2 GiB", replaced(LITERT, sparse(2**31)), "runtime", "larger than 512 MiB"),
    Case("huge tensor", network(huge_tensor), "runtime", "its tensors want"),
    Case("huge pictures", network(huge_input), "runtime", "its tensors want"),
    Case("custom operation", network(custom_op), "runtime", "can't be loaded"),
    Case("weights are NaN", network(no_numbers), "runtime", "no finite numbers"),
    Case("outputs without names", network(no_signature), "runtime", "can't be loaded"),
    Case("other heads", lambda f: card(f, vocabulary={"x": ["a", "b"]}), "runtime", "not answer"),
    Case("other trained network", instead(KERAS, b"x", vouched=False), "keras", "not the file"),
    Case("no archive", instead(KERAS, b"PK\3\4" * 99), "keras", "not a network of this project"),
    Case("code", code, "keras", "Lambda has no place"),
    Case("2**31 units", configured('"units": 4', f'"units": {2**31}'), "keras", "a size of"),
    Case("two wide layers", keras(two_wide), "keras", "larger than any model"),
    Case("configuration is deep", keras(deep), "keras", "not a network of this project"),
    Case("lists in lists", keras(lambda m: m.update({CONFIG: LISTS})), "keras", "is too deep"),
    Case(
        "configuration of 5 MiB", keras(lambda m: m.update({CONFIG: BLANKS})), "keras", "too large"
    ),
    Case("name leads out", keras(lambda m: m.update({"../../x": b""})), "keras", "it holds"),
    Case("pickle inside", keras(lambda m: m.update({"model.pkl": b"\x80"})), "keras", "it holds"),
    Case("inflating weights", inflating, "keras", "it is compressed"),
    Case("two configurations", second_config, "keras", "it holds"),
    Case(
        "os.system",
        configured('"activation": "relu"', f'"activation": {SYSTEM}'),
        "keras",
        "os.function as s",
    ),
    Case(
        "registered elsewhere",
        configured('"registered_name": "Functional"', '"registered_name": "os>system"'),
        "keras",
        "has no place",
    ),
    Case("weights of 2**40", keras(weights(shape_bomb)), "keras", "not stored as"),
    Case("weights are packed", keras(weights(packed)), "keras", "model.keras"),
    Case(
        "a layer for a seed",
        configured(
            '"seed": null',
            '"seed": {"module": "keras.layers", "class_name": "Lambda", "config": {}}',
        ),
        "keras",
        "has no place",
    ),
    Case("weights lead out", keras(weights(link_out)), "keras", "lead elsewhere"),
    Case("no split", instead(SPLIT, b"PAR1" * 999), "split", "is not the table"),
    Case("split of bytes", instead(SPLIT, b"", vouched=False), "split", "not the file that"),
    Case(
        "split without sides",
        split({"fingerprint": repeated("0" * 128, 3)}),
        "split",
        "its columns are not",
    ),
    Case(
        "short fingerprints",
        members(Member("picture", "00", None, 1, "train")),
        "split",
        "does not have 512 bits",
    ),
    Case(
        "split of 20 million",
        split(
            {"fingerprint": repeated("0" * 128, 2 * 10**7), "side": repeated("train", 2 * 10**7)}
        ),
        "split",
        "it claims",
    ),
)


def open_as_we_do(case: Case, folder: Path) -> None:
    """Open what the case is about."""
    from catalog.models.export import load_keras  # noqa: PLC0415 - slow
    from catalog.models.splits import TrainedGroups  # noqa: PLC0415 - as above

    match case.opens:
        case "card":
            load_card(folder)
        case "runtime":
            Runtime(folder)
        case "keras":
            load_keras(folder, load_card(folder))
        case "split":
            TrainedGroups.of_model(folder, load_card(folder))


@dataclass(frozen=True)
class Outcome:
    """What came of opening a folder."""

    case: str
    said: str  # the refusal; "" when it was opened; the kind of any other error
    seconds: float
    mebibytes: float  # that the process grew by at most while it was opened
    ran_code: bool


def tried(case: Case, folder: Path, way: Callable[[Case, Path], object]) -> Outcome:
    """Open a folder in one of the ways, and tell what it cost."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak from here on
    before, start = _status("VmRSS"), time.perf_counter()
    try:
        way(case, folder)
        said = ""
    except ModelRefused as error:
        said = str(error)
    except Exception as error:  # noqa: BLE001 - that is what is told
        said = f"{type(error).__name__}!"
    seconds = time.perf_counter() - start
    grown = (_status("VmHWM") - before) / 1024
    return Outcome(case.name, said, seconds, grown, (folder / CANARY).exists())


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def main(model: Path, root: Path) -> None:
    """Try all in both ways."""
    whole = Case("whole", Path.exists, "keras", "")
    told = {"ours": [tried(whole, model, open_as_we_do)], "naive": list[Outcome]()}
    for number, case in enumerate(CASES):
        folder = root / f"{number}"
        shutil.copytree(model, folder)
        case.spoil(folder)
        told["ours"].append(tried(case, folder, open_as_we_do))
    resource.setrlimit(resource.RLIMIT_AS, (NAIVE_BYTES, NAIVE_BYTES))
    for number, case in enumerate(CASES):
        if case.name in NAIVE:
            told["naive"].append(tried(case, root / f"{number}", naively))
    print(json.dumps(told, default=vars))


def naively(case: Case, folder: Path) -> None:
    """Open what the case is about as a script that trusts it would."""
    with _patience(1 if case.name == "card is a pipe" else 30):
        NAIVE[case.name](folder)


def _read_card(folder: Path) -> None:
    content = json.loads((folder / CARD).read_bytes())
    assert content["files"]


def _unpickle(folder: Path) -> None:
    with (folder / LITERT).open("rb") as file:
        pickle.load(file).close()  # noqa: S301 - that is the fault


def _interpret(folder: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - slow

    interpreter = Interpreter(model_path=str(folder / LITERT))
    interpreter.allocate_tensors()
    interpreter.invoke()


def _load_keras(folder: Path) -> None:
    import keras as library  # noqa: PLC0415 - slow

    library.saving.load_model(folder / KERAS, compile=False, safe_mode=False)


def _read_split(folder: Path) -> None:
    pq.read_table(folder / SPLIT).to_pandas().astype(str)


# What a script that trusts does: see what becomes of it in the test.
NAIVE: dict[str, Callable[[Path], None]] = {
    "card with NaN": _read_card,
    "card says things twice": _read_card,
    "card names ..": _read_card,
    "card is a pipe": _read_card,
    "a million labels": _read_card,
    "a pickle": _unpickle,
    "weights are NaN": _interpret,
    "other heads": _interpret,
    "code": _load_keras,
    "two wide layers": _load_keras,
    "name leads out": _load_keras,
    "pickle inside": _load_keras,
    "split of 20 million": _read_split,
}


@contextmanager
def _patience(seconds: int) -> Iterator[None]:
    """TimeoutError when the block does not end."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
