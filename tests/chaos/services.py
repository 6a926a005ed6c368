"""Services of a run's own, PostgreSQL, Redis, RabbitMQ, each on a port and in a folder of its own.

Started as servers are on a production machine, with what they promise to keep switched on, so that a kill is honest.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.processes import Process, give_to, user_of
from tests.site_process import free_port

DATABASE = "colloquy"
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass
class Services:
    """The services of one run in the order of their start, and the variables that name them to a site."""

    processes: list[Process] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    #: Not to be killed: a port mapper, which serves no site.
    quiet: list[Process] = field(default_factory=list)


def own_services(names: str, folder: Path, *, redis_file: bool) -> Services:
    """``postgresql+redis``, ``postgresql+rabbitmq`` (Redis is the channel layer) or ``embedded``.

    The embedded queue belongs to the site and is not started here. Raises FileNotFoundError for what is not
    installed.
    """
    services = Services()
    if names == "embedded":
        return services
    _add_postgresql(services, folder)
    _add_redis(services, folder, redis_file)
    if names == "postgresql+rabbitmq":
        _add_rabbitmq(services, folder)
    return services


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def _add_postgresql(services: Services, folder: Path) -> None:
    programs = postgresql_programs()
    data, port = folder / "postgresql", free_port()
    give_to(data, "postgres")
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust"],
        check=True,
        capture_output=True,
        cwd="/",
        **user_of("postgres"),
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(data),
        "max_connections": "200",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    services.processes.append(
        Process(
            "postgresql",
            [str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings],
            folder / "postgresql.log",
            ready=lambda pid: postgresql_answers(port),
            user="postgres",
            folder=Path("/"),
            stop_signal=signal.SIGQUIT,
        )
    )
    services.variables["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"


def postgresql_programs() -> Path:
    """The folder of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise FileNotFoundError("PostgreSQL's server is not installed; .ci/run installs it.")
    return found[-1].parent


def postgresql_answers(port: int) -> bool:
    """Whether it answers; the first time it also gets its database."""
    import psycopg

    try:
        with psycopg.connect(
            f"postgres://postgres@127.0.0.1:{port}/postgres", connect_timeout=2, autocommit=True
        ) as server:
            if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                server.execute(f"CREATE DATABASE {DATABASE}")
            return True
    except psycopg.Error:
        return False


# --- Redis --------------------------------------------------------------------------------------------------------


def _add_redis(services: Services, folder: Path, with_file: bool) -> None:
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server is not installed; .ci/run installs it.")
    data, port = folder / "redis", free_port()
    data.mkdir()
    file = ["--appendonly", "yes", "--appendfsync", "everysec"] if with_file else ["--appendonly", "no"]
    services.processes.append(
        Process(
            "redis",
            [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(data), *file],
            folder / "redis.log",
            ready=lambda pid: redis_answers(f"redis://127.0.0.1:{port}/0"),
        )
    )
    services.variables["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"


def redis_answers(url: str) -> bool:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        with redis.Redis.from_url(url, socket_timeout=2, retry=Retry(NoBackoff(), retries=0)) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


# --- RabbitMQ -----------------------------------------------------------------------------------------------------


def _add_rabbitmq(services: Services, folder: Path) -> None:
    """A node with a port mapper, a cookie and a home of its own, which share nothing with the machine's."""
    if not RABBITMQ.exists():
        raise FileNotFoundError("rabbitmq-server is not installed; .ci/run installs it.")
    home, port, mapper_port = folder / "rabbitmq", free_port(), free_port()
    give_to(home, "rabbitmq")
    environment = {
        "PATH": f"{os.environ['PATH']}:/usr/sbin",
        "HOME": str(home),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"colloquy-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_MNESIA_BASE": str(home),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_CONFIG_FILE": str(home / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
    }
    mapper = shutil.which("epmd") or "epmd"
    services.quiet.append(
        Process(
            "epmd",
            [mapper, "-port", str(mapper_port), "-address", "127.0.0.1"],
            folder / "epmd.log",
            environment,
            user="rabbitmq",
            folder=home,
        )
    )
    url = f"amqp://guest:guest@127.0.0.1:{port}//"
    services.processes.append(
        Process(
            "rabbitmq",
            [str(RABBITMQ)],
            folder / "rabbitmq.log",
            environment,
            ready=lambda pid: rabbitmq_answers(url),
            user="rabbitmq",
            folder=home,
        )
    )
    services.variables["BROKER_URL"] = url


def rabbitmq_answers(url: str) -> bool:
    import kombu

    try:
        with kombu.Connection(url, connect_timeout=2) as connection:
            connection.connect()
            return bool(connection.connected)
    except Exception:  # whatever the transport throws, it does not answer
        return False
