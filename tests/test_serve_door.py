"""Who may come in to `catalog serve`, what is told at its door, and what is near to a picture."""

import socket
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from jobs.cli import cli
from jobs.serve_door import is_loopback, key_of
from jobs.serve_looking import Score
from jobs.serve_pictures import SIDE, data_uri
from jobs.serve_store import Seen


def told(*flags, **env):
    """The exit code of `catalog serve` with these flags, and what it says."""
    result = CliRunner().invoke(cli, ["serve", *map(str, flags)], env=env)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("flags", "env", "words"),
    [
        (["--host", "0.0.0.0"], {}, "--host 0.0.0.0 lets others in"),  # noqa: S104 - is refused
        (["--host", "::"], {}, "--host :: lets others in"),
        (["--host", "192.0.2.7"], {}, "lets others in"),
        (["--share"], {}, "--share lets others in"),
        (["--share"], {"CATALOG_PASSWORD": "long enough"}, "needs --user NAME"),
        (["--user", "ana"], {}, "--user needs a password"),
        (["--user", "ana"], {"CATALOG_PASSWORD": "short"}, "8 to 1,024 letters"),
        (["--user", " "], {"CATALOG_PASSWORD": "long enough"}, "--user needs a name"),
        (["--password-file", "none"], {}, "needs --user NAME"),
        (["--user", "ana", "--password-file", "none"], {}, "none can't be read"),
        (["--password", "secret"], {}, "No such option"),
        (
            ["--host", "no.such.host.invalid", "--user", "ana"],
            {"CATALOG_PASSWORD": "x" * 9},
            "can't",
        ),
    ],
)
def test_half_a_door_is_refused(flags, env, words):
    """Whoever lets others in must say with which name and password; nothing is served till then."""
    code, said = told(*flags, **({"CATALOG_PASSWORD": None} | env))
    assert code == 2
    assert words in said
    assert "Traceback" not in said


def test_a_taken_port_is_one_line():
    """Another program at the port is told before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code, said = told("--port", port)
    assert code == 1
    assert said.split("\n")[:2] == [
        f"Error: port {port} of 127.0.0.1 is taken",
        "Next: name another with --port",
    ]


def test_without_gradio_it_is_told_what_to_install(monkeypatch):
    """Gradio is an extra; without it there is one line."""
    monkeypatch.setitem(sys.modules, "gradio", None)
    code, said = told()
    assert code == 1
    assert "pip install 'vitrina[demo]'" in said


def test_a_password_is_the_first_line_of_a_file(tmp_path):
    """What an editor puts at the end of a line is no part of it."""
    path = tmp_path / "password"
    path.write_text("correct horse\r\nanother line\n")
    key = key_of("ana", path)
    assert key is not None
    assert (key.user, key.password) == ("ana", "correct horse")
    assert key_of(None, None) is None


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104 - all addresses of the machine
        ("::", False),
        ("10.0.0.5", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback_is_known(host, near):
    """Only addresses that no other machine can reach go without a password."""
    assert is_loopback(host) is near


def test_the_nearest_are_by_cosine():
    """The length of an embedding says nothing; a null one is unlike everything."""
    rows = np.array([[2, 0], [0, 3], [1, 1], [-1, 0]], np.float32)
    seen = Seen(tuple("abcd"), rows / np.linalg.norm(rows, axis=1, keepdims=True))
    found = seen.nearest(np.array([5, 0], np.float32), 3)
    assert [name for name, _ in found] == ["a", "c", "b"]
    assert [distance for _, distance in found] == pytest.approx([0, 1 - 0.5**0.5, 1], abs=1e-6)
    assert [distance for _, distance in seen.nearest(np.zeros(2), 4)] == [1, 1, 1, 1]


def test_high_is_from_the_threshold_on():
    """A score at the threshold is high; without a threshold nothing is said."""
    said = [Score("m", 0.5, at, "", None, None).high for at in (0.5, 0.51, None)]
    assert said == [True, False, None]


def test_a_picture_gets_its_shape_back():
    """The longer side is SIDE, and a thread of a picture is still to be seen."""
    import base64  # noqa: PLC0415
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    sizes = []
    for width, height in ((300, 400), (4000, 2)):
        uri = data_uri(np.zeros((SIDE, SIDE, 3), np.uint8), width, height)
        with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as picture:
            sizes.append(picture.size)
    assert sizes == [(180, 240), (240, 60)]
