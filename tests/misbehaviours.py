"""Every misbehaviour of a server by its name, with what must come of it."""

from tests.fault_server import Case
from tests.misbehaving_answers import ANSWERS
from tests.misbehaving_bodies import BODIES
from tests.misbehaving_connections import CONNECTIONS
from tests.misbehaving_redirects import REDIRECTS

CASES: tuple[Case, ...] = (*CONNECTIONS, *ANSWERS, *BODIES, *REDIRECTS)
