"""How pictures are downloaded: the limits a user may set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FetchSettings:
    """How pictures are downloaded."""

    per_host: int = 32
    total: int = 64
    deadline: float = 30.0  # seconds on the network for one location, all tries and hops together
    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    max_bytes: int = 20_000_000  # of one picture, after inflating
    tries: int = 3
    backoff: float = 0.5  # seconds, before the second try at most; doubled for the next
    allow_hosts: tuple[str, ...] = ()  # HOST:PORT, beyond public addresses on ports 80 and 443
    user_agent: str = "Vitrina"
    contact: str | None = None  # whom a shop's administrator may write to
    proxy: str | None = None

    def __post_init__(self) -> None:
        for name in ("per_host", "total", "max_bytes", "tries"):
            if not isinstance(value := getattr(self, name), int) or value < 1:
                raise ValueError(f"{name} must be a whole number from 1, not {value!r}")
        for name in ("deadline", "connect_timeout", "read_timeout"):
            if not isinstance(value := getattr(self, name), (int, float)) or value <= 0:
                raise ValueError(f"{name} must be a number of seconds, not {value!r}")
        for name in self.allow_hosts:
            host, _, port = name.rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"an allowed host is HOST:PORT, not {name!r}")
        if not self.agent.isprintable() or not self.agent.isascii():
            raise ValueError(f"a name and contact for servers must be plain ASCII: {self.agent!r}")

    @property
    def agent(self) -> str:
        """The User-Agent."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent
