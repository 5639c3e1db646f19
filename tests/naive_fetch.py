"""How pictures are usually downloaded: requests with retries and a pair of timeouts.

It is the control of tests/test_hostile_servers.py: what the harness finds, it must find here.
"""

from collections.abc import Callable

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


def plain_fetcher(timeout: float) -> Callable[[str], bytes]:
    """A function that gets what is at a URL, or raises."""
    session = requests.Session()
    retry = Retry(3, backoff_factor=0.1, status_forcelist=[429, 500, 502, 503, 504])
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=64, max_retries=retry))

    def get(url: str) -> bytes:
        response = session.get(url, timeout=(timeout, timeout))
        response.raise_for_status()
        return response.content

    return get
