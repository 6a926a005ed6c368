"""A whole site as on a server: the Procfile's processes under production settings, behind Caddy with TLS."""

from __future__ import annotations

import os
import secrets
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import wait_for
from tests.deploy.files import DEPLOY, procfile
from tests.site_process import PROJECT, free_port, fresh_environment

READY_LIMIT_S = 180.0
#: What docs/operations.md, compose and systemd give a process at least to stop in, all of them together.
STOP_LIMIT_S = 30.0


@dataclass
class Deployment:
    """Its processes by name; ``web-1`` and ``web-2`` are two of the Procfile's ``web``."""

    folder: Path
    variables: Mapping[str, str]
    caddy: str
    ports: Mapping[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.ports['https']}"

    def environment(self) -> dict[str, str]:
        own = {
            "DJANGO_SETTINGS_MODULE": "evalsite.production",
            "COLLOQUY_DATA": str(self.folder / "data"),
            "SECRET_KEY": KEY,
            "SITE_URL": self.url,
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            # Celery warns, past all logging, of being root, as whom tests may run.
            "PYTHONWARNINGS": "ignore",
        }
        return fresh_environment() | own | dict(self.variables)

    # --- Processes ---

    def start(self) -> None:
        """Prepare, start everything, and wait until a worker answers behind the proxy."""
        prepare = [".venv/bin/python", "manage.py", "prepare"]
        subprocess.run(prepare, cwd=PROJECT, env=self.environment(), check=True, capture_output=True)
        self.start_proxy()
        for name in ("web-1", "web-2", "worker", "sweeper"):
            self.start_process(name)
        wait_for(lambda: self.says("/readyz?worker=1") == 200, f"the site ({self.folder})", READY_LIMIT_S)

    def start_process(self, name: str) -> None:
        """A line of the Procfile, as it stands there."""
        environment = self.environment()
        if name in self.ports:
            environment["PORT"] = str(self.ports[name])
        self._spawn(name, procfile()[name.partition("-")[0]], environment)

    def start_proxy(self) -> None:
        own = {
            "SITE_HOST": "localhost",
            "TLS": "internal",
            "HTTP_PORT": str(self.ports["http"]),
            "HTTPS_PORT": str(self.ports["https"]),
            "WEB_UPSTREAMS": " ".join(f"127.0.0.1:{self.ports[name]}" for name in ("web-1", "web-2")),
            "CADDY_ADMIN": "off",
            "XDG_DATA_HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
        }
        command = [self.caddy, "run", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"]
        self._spawn("proxy", command, os.environ | own)
        wait_for(self.root_certificate.exists, "the proxy's certificate")

    def _spawn(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=PROJECT, env=dict(environment), stdout=log, stderr=subprocess.STDOUT
            )

    def stop_process(self, name: str) -> float:
        """SIGTERM, and the seconds until it has ended."""
        process, begun = self.running.pop(name), time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_LIMIT_S)
        return time.monotonic() - begun

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    # --- Asking ---

    @property
    def root_certificate(self) -> Path:
        return self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.root_certificate))

    def ask(self, path: str, *, scheme: str = "https", **options: object) -> httpx.Response:
        address = f"{scheme}://localhost:{self.ports[scheme]}{path}"
        with httpx.Client(verify=self.tls, trust_env=False, timeout=20) as client:
            return client.request(str(options.pop("method", "GET")), address, **options)  # type: ignore[arg-type]

    def says(self, path: str) -> int:
        """The status, or 0 when nothing answers. Waits a little, so that it may be asked again and again."""
        time.sleep(0.3)
        try:
            return self.ask(path).status_code
        except httpx.HTTPError:
            return 0

    def directly(self, name: str, path: str) -> int:
        """The status of one web process, past the proxy; 0 when it does not answer."""
        try:
            address = f"http://127.0.0.1:{self.ports[name]}{path}"
            return httpx.get(address, headers={"Host": "localhost"}, trust_env=False).status_code
        except httpx.HTTPError:
            return 0

    def logs(self) -> str:
        """Of our own processes."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")) if path.stem != "proxy")


PORTS = ("http", "https", "web-1", "web-2")
KEY = secrets.token_urlsafe(64)


@contextmanager
def deployed(folder: Path, variables: Mapping[str, str], caddy: str) -> Iterator[Deployment]:
    deployment = Deployment(folder, variables, caddy)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.end()
