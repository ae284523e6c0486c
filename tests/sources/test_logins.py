"""Each source of credentials logs in to a real PostgreSQL, through every face."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from common import HOSTNAME, AccessKey, free_port
from faulty import Answer, Request, Server
from kinds import (
    ROLE,
    SESSION_TOKEN,
    AssumeRole,
    Container,
    InstanceMetadata,
    NetworkSource,
    Process,
    Source,
    Sso,
    SsoSession,
    WebIdentity,
)
from postgres import Postgres
from typing_extensions import Self

from demo import RELEASE, compile_c, faces

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from built import Command
    from demo import Face

USER = "app"
START_SECONDS = 60

GUARDS = ("AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_ENDPOINT_URL")
"""What tests/guard.sh sets so that nothing off this machine is asked."""


class Environment(Source):
    name = "environment"

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_SESSION_TOKEN": self.key.session_token or "",
        }


class CredentialsFile(Source):
    name = "credentials file"

    def environment(self) -> dict[str, str]:
        (self.directory / "credentials").write_text(self.key.section("default"))
        return {}


class DefaultPlaces(Source):
    """~/.aws/credentials, with no variable set."""

    name = "credentials file in its default place"

    def base(self) -> dict[str, str]:
        return {"HOME": str(self.home)}

    def environment(self) -> dict[str, str]:
        (self.home / ".aws").mkdir()
        (self.home / ".aws" / "credentials").write_text(self.key.section("default"))
        return {}


class NamedProfile(Source):
    """Among others, with keys that nobody knows."""

    name = "named profile"

    def environment(self) -> dict[str, str]:
        others = AccessKey.random(SESSION_TOKEN).section("default")
        others += AccessKey.random().section("application")
        (self.directory / "credentials").write_text(others + self.key.section("app"))
        return {"AWS_PROFILE": "app"}


class Ecs(Container):
    """With the authorization itself in a variable, as ECS has it."""

    name = "container with a token"

    def environment(self) -> dict[str, str]:
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.server.url}/v2/credentials/app",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.secret(),
        }


class WebIdentityProfile(WebIdentity):
    """The same named in a profile, and another role on top of that one's credentials."""

    name = "role on top of web identity, in profiles"

    def environment(self) -> dict[str, str]:
        variables = super().environment()
        file = variables.pop("AWS_WEB_IDENTITY_TOKEN_FILE")
        del variables["AWS_ROLE_ARN"]
        self._config.write_text(
            f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = external\n"
            f"[profile base]\nrole_arn = {ROLE}\nweb_identity_token_file = {file}\n"
        )
        return variables

    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        if b"Action=AssumeRole&" in request.body:
            assert b"ExternalId=external" in request.body
            assert f"Credential={key.access_key_id}/" in request.headers["authorization"]
            return AssumeRole.answer_with(self, key, request, fault)  # type: ignore[arg-type]
        return super().answer_with(key, request, fault)


OURS: list[type[Source]] = [
    Environment,
    CredentialsFile,
    DefaultPlaces,
    NamedProfile,
    AssumeRole,
    WebIdentity,
    WebIdentityProfile,
    Sso,
    SsoSession,
    Process,
    Ecs,
    Container,
    InstanceMetadata,
]
BY_MOTO: list[type[Source]] = [AssumeRole, WebIdentity, InstanceMetadata]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[type[Source], Source]]:
    """Of our own, by their classes."""
    directory = tmp_path_factory.mktemp("sources")
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(kind(directory / kind.__name__)) for kind in OURS}


@pytest.fixture(scope="module")
def server(
    sources: dict[type[Source], Source], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postgres]:
    """Knows the keys of all sources of our own."""
    keys = tmp_path_factory.mktemp("keys") / "credentials"
    keys.touch(mode=0o600)
    keys.write_text("".join(source.key.section(source.name) for source in sources.values()))
    with Postgres(users=[USER], credentials=keys) as postgres:
        yield postgres


@pytest.fixture(scope="module")
def every_face(tmp_path_factory: pytest.TempPathFactory) -> list[Face]:
    built = tmp_path_factory.mktemp("built")
    compile_c(built)
    return faces(built)


class Moto:
    """A moto server, and a relay before it that tells PostgreSQL's verifier of each key it makes,
    before whoever asked for the key hears of it.

    Whoever asks for the same again gets the same key: Node's pg asks for the token, and so for the
    key, in the middle of the login, when the verifier has read its files already.
    """

    def __init__(self, server: Postgres) -> None:
        self._known = server.directory / "server" / "more-credentials"
        self._made = 0
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, str], Answer] = {}
        self._port = free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.relay = Server(self._answer)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "moto has ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return self
            time.sleep(0.1)
        raise AssertionError("moto does not listen")

    def __exit__(self, *_: object) -> None:
        self.relay.close()
        self._process.terminate()
        self._process.wait()

    def _answer(self, request: Request, _fault: str | None) -> Answer:
        action = re.search(rb"Action=(\w+)", request.body)
        what = (request.method, request.path, action[1].decode() if action else "")
        with self._lock:
            if what not in self._answers:
                self._answers[what] = self._pass_on(request)
            return self._answers[what]

    def _pass_on(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request(request.method, request.path, request.body, request.headers)
        response = connection.getresponse()
        text = response.read().decode()
        kind = response.getheader("Content-Type", "text/plain")
        connection.close()
        self._learn(text)
        # EC2 gives back what it was asked for, and the SDK insists on it; moto leaves it out.
        ttl = "x-aws-ec2-metadata-token-ttl-seconds"
        headers = ((ttl, request.headers[ttl]),) if ttl in request.headers else ()
        return Answer(text, kind, response.status, headers)

    def _learn(self, text: str) -> None:
        def find(*names: str) -> str | None:
            for name in names:
                match = re.search(rf'(?:<{name}>|"{name}"\s*:\s*")([^<"]+)', text)
                if match:
                    return match[1]
            return None

        key_id, secret = find("AccessKeyId"), find("SecretAccessKey")
        if key_id and secret:
            section = AccessKey(key_id, secret, find("SessionToken", "Token")).section
            self._made += 1
            with self._known.open("a") as file:
                file.write(section(f"made by moto {self._made}"))

    @property
    def made(self) -> int:
        return self._made


@pytest.fixture(scope="module")
def moto(server: Postgres) -> Iterator[Moto]:
    with Moto(server) as running:
        yield running


def log_in_with(
    server: Postgres, face: Face, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """A process of its own, that knows of no credentials but those of `environment`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    inherited |= {name: os.environ[name] for name in GUARDS}
    inherited["PATH"] = f"{RELEASE}:{inherited['PATH']}"
    connection = {
        "PGHOSTADDR": server.hostaddr,
        "PGDATABASE": server.dbname,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(server.ca_file),
    }
    return subprocess.run(
        [*face.login, server.host, str(server.port), USER],
        env=inherited | connection | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def log_in_everywhere(server: Postgres, every: list[Face], environment: dict[str, str]) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = pool.map(lambda face: log_in_with(server, face, environment), every)
        said = {
            face.name: (one.stdout.strip(), one.stderr)
            for face, one in zip(every, done, strict=True)
        }
    assert said == dict.fromkeys(("C", "Python", "Node", "shell"), (USER, ""))


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
def test_ours(
    kind: type[Source],
    sources: dict[type[Source], Source],
    server: Postgres,
    every_face: list[Face],
) -> None:
    source = sources[kind]
    log_in_everywhere(server, every_face, source.base() | source.environment())


@pytest.mark.parametrize("kind", BY_MOTO, ids=lambda kind: kind.name)
def test_by_moto(
    kind: type[Source],
    moto: Moto,
    server: Postgres,
    every_face: list[Face],
    tmp_path: pathlib.Path,
) -> None:
    before = moto.made
    with kind(tmp_path) as source:
        environment = source.base() | source.environment()
        for name in ("AWS_ENDPOINT_URL_STS", "AWS_EC2_METADATA_SERVICE_ENDPOINT"):
            if name in environment:
                environment[name] = moto.relay.url
        assert log_in_with(server, every_face[0], environment).stdout == f"{USER}\n"
        assert moto.made == before + 1
        log_in_everywhere(server, every_face, environment)
    assert moto.made == before + 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (AssumeRole, []),
        (AssumeRole, ["--profile=below", f"--role-arn={ROLE}"]),
        (WebIdentity, []),
        (Sso, []),
        (SsoSession, []),
    ],
    ids=["role", "role on top", "web identity", "sso", "sso session"],
)
def test_the_guards_endpoint_is_every_services(
    kind: type[NetworkSource], options: list[str], command: Command, tmp_path: pathlib.Path
) -> None:
    """Where a test names none for the service, its public name is not asked."""
    with kind(tmp_path) as source:
        environment = source.base() | source.environment()
        service = {AssumeRole: "STS", WebIdentity: "STS"}.get(kind, "SSO")
        environment["AWS_ENDPOINT_URL"] = environment.pop(f"AWS_ENDPOINT_URL_{service}")
        login = [f"--hostname={HOSTNAME}", "--port=5432", f"--username={USER}"]
        done = command.run("token", *login, *options, env=environment)
        assert done.stderr == ""
        assert source.key.access_key_id in done.stdout
        assert len(source.server.requests) == 1


def test_a_key_that_the_server_does_not_know(
    server: Postgres, every_face: list[Face], tmp_path: pathlib.Path
) -> None:
    """So that the logins above mean something."""
    with Container(tmp_path) as source:
        environment = source.base() | source.environment()
        done = log_in_with(server, every_face[0], environment)
    assert done.returncode != 0
    assert "PAM authentication failed" in done.stderr
    assert "the access key id is not known" in server.log()
