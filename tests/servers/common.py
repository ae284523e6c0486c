"""What every private database server of the tests needs: a directory of its own that always goes
away again, certificates, made-up access keys, an unprivileged system user, and PAM.

Standard library only. It needs the commands `openssl` and `cc` and the header of libpam.
"""

from __future__ import annotations

import abc
import argparse
import base64
import contextlib
import dataclasses
import json
import os
import pathlib
import pwd
import secrets
import select
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Self  # in typing from Python 3.11

HERE = pathlib.Path(__file__).resolve().parent
MODULE = HERE.parents[1] / "target" / "release" / "pam_rdstoken.so"
REGION = "us-east-1"
HOSTNAME = f"demo.cluster-abc123def456.{REGION}.rds.amazonaws.com"
SERVICE = "rdstoken"

LONGEST_SESSION_TOKEN = 65_536  # the signer's own bound

START_SECONDS = 60
STOP_SECONDS = 15
PORTS_TO_TRY = 5


class ServerError(Exception):
    """The server cannot be started. The text says what is missing or wrong, for a person."""


@dataclasses.dataclass(frozen=True)
class AccessKey:
    """An access key. Its repr shows the id alone."""

    access_key_id: str
    secret_access_key: str = dataclasses.field(repr=False)
    session_token: str | None = dataclasses.field(default=None, repr=False)

    @classmethod
    def random(cls, session_token_length: int = 0) -> AccessKey:
        """A made-up key of AWS's shape; with a session token unless its length is 0."""
        letters = string.ascii_uppercase + "234567"
        kind = "ASIA" if session_token_length else "AKIA"
        return cls(
            kind + "".join(secrets.choice(letters) for _ in range(16)),
            base64.b64encode(secrets.token_bytes(30)).decode(),
            random_session_token(session_token_length) or None,
        )

    def section(self, name: str) -> str:
        """The key as a section of an AWS credentials file."""
        lines = [
            f"[{name}]",
            f"aws_access_key_id = {self.access_key_id}",
            f"aws_secret_access_key = {self.secret_access_key}",
        ]
        if self.session_token:
            lines.append(f"aws_session_token = {self.session_token}")
        return "\n".join(lines) + "\n"

    def environment(self) -> str:
        """The key as assignments that a shell can read."""
        values = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token or "",
        }
        return "".join(f"{name}='{value}'\n" for name, value in values.items())


@dataclasses.dataclass(frozen=True)
class Record:
    """A password that reached the verifier: its length in bytes and its SHA-256, not itself."""

    user: str
    length: int
    sha256: str
    accepted: bool

    @classmethod
    def read(cls, line: str) -> Record:
        user, length, digest, answer = line.split(" ")
        user = urllib.parse.unquote(user)
        return cls(user, int(length), digest, {"accepted": True, "refused": False}[answer])


def key_for_length(length: int, hostname: str = HOSTNAME, user: str = "app") -> AccessKey:
    """A made-up key whose tokens for this user, at a port of five digits, have exactly this many
    bytes. The shortest come of a key without a session token.
    """
    key = AccessKey.random(1)
    without = len(
        f"{hostname}:12345/?Action=connect&DBUser={urllib.parse.quote(user, safe='')}"
        "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential={key.access_key_id}%2F20260101%2F{REGION}%2Frds-db%2Faws4_request"
        "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
        f"&X-Amz-Signature={64 * '0'}"
    )
    room = length - without - len("&X-Amz-Security-Token=")
    if room < 1:
        # Ids of 16 to 128 characters are valid, and 20 are usual.
        if length - without < 16 - 20:
            raise ServerError(f"no token has {length} bytes: the shortest here has {without - 4}")
        letters = string.ascii_uppercase + "234567"
        rest = "".join(secrets.choice(letters) for _ in range(16 + length - without))
        return AccessKey("AKIA" + rest, key.secret_access_key)
    # Each of these takes three bytes in a token. One in twenty, as in real ones, or as many as keep
    # the session token within its bound.
    threes = max(min(room // 9, room // 180 + 1), -((LONGEST_SESSION_TOKEN - room) // 6))
    if 9 * threes > room:
        raise ServerError(f"no token has {length} bytes: its session token would be too long")
    letters = string.ascii_letters + string.digits
    characters = ["+", "/", "="] * threes
    characters += [secrets.choice(letters) for _ in range(room - 9 * threes)]
    secrets.SystemRandom().shuffle(characters)
    return dataclasses.replace(key, session_token="".join(characters))


def random_session_token(length: int) -> str:
    """Text like a session token's; with room for it, `+`, `/` and `=` are surely in it."""
    text = base64.b64encode(secrets.token_bytes(length)).decode()[:length]
    return text[: length - 4] + "+/==" if length >= 8 else text


class PrivateServer(abc.ABC):
    """A real database server on a free loopback port that lets users in by token alone.

    A context manager. Everything it has is made afresh when it starts, lies in one private
    directory and is gone when it stops; if this process is killed, a janitor stops the server and
    removes the directory all the same.

    After `__enter__` these are set: `host` (the endpoint's name, to connect to with `hostaddr`),
    `port` (always five digits), `dbname`, `users`, `region`, `ca_file`, `credentials_file` (AWS
    format; the profile `default` has a session token, `static` none), `environment_file` (the
    profile `default` for a shell), `log_file`, `records_file` (see `records`), `session_key`,
    `static_key`, `keys` (see `token_lengths`), and `pam_service_file`, which tests may rewrite,
    because libpam reads it at every login.
    """

    name: str
    """What the server is, for messages and for the description."""
    dbname: str

    def __init__(
        self,
        *,
        users: Sequence[str] = ("app", "app_ro"),
        hostname: str = HOSTNAME,
        more_hostnames: Sequence[str] = (),
        session_token_length: int = 1200,
        token_lengths: Sequence[int] = (),
        module: pathlib.Path = MODULE,
        credentials: pathlib.Path | None = None,
    ) -> None:
        """`users` are created as ordinary users, and only they may log in.

        `token_lengths` are lengths of tokens: `keys[1500]` and the profile `token-1500` sign tokens
        of exactly 1500 bytes for the user `app` at `hostname`, while `expires_in` has its default
        of three digits. `more_hostnames` are other names of the server; where one holds no region,
        it is `region`. `credentials` is a file with more keys for the server to know; it is copied
        when the server starts.
        """
        self.host = hostname
        self.more_hostnames = list(more_hostnames)
        self.hostaddr = "127.0.0.1"
        self.region = REGION
        self.users = list(users)
        self._module = pathlib.Path(module)
        self._more_credentials = credentials
        self.session_key = AccessKey.random(session_token_length)
        self.static_key = AccessKey.random()
        self.keys = {length: key_for_length(length, hostname) for length in token_lengths}
        self.profiles = {"default": self.session_key, "static": self.static_key}
        self.profiles |= {f"token-{length}": key for length, key in self.keys.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._janitor: subprocess.Popen[bytes] | None = None
        self._log: int | None = None

    # What a kind of server adds.

    @abc.abstractmethod
    def _find_programs(self) -> None:
        """Finds the server's programs, or raises `ServerError` saying what to install."""

    @abc.abstractmethod
    def _create(self) -> None:
        """Makes the data directory and the users, before any port is known."""

    @abc.abstractmethod
    def _command(self) -> list[str]:
        """The command that runs the server in the foreground on `self.port`."""

    @abc.abstractmethod
    def _is_ready(self) -> bool:
        """Whether the running server takes logins."""

    # Starting and stopping.

    def __enter__(self) -> Self:
        self._find_programs()
        if not self._module.is_file():
            raise ServerError(
                f"the verifier {self._module} is not there: build it with `cargo build --release"
                " -p rdstoken-pam` and copy target/release/libpam_rdstoken.so to that name"
            )
        try:
            self._make_directory()
            self._make_certificates()
            self._make_pam()
            self._create()
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops the server and removes its directory. Once more does nothing."""
        if self._janitor:
            assert self._janitor.stdin
            self._janitor.stdin.close()
            if self._process:
                self._process.wait()
            self._janitor.wait()
        if self._log is not None:
            os.close(self._log)
        self._janitor = self._process = self._log = None

    def _make_directory(self) -> None:
        self._user = unprivileged_user()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rdstoken-server."))
        self._janitor = subprocess.Popen(
            [sys.executable, __file__, str(self.directory)],
            stdin=subprocess.PIPE,
            # In a process group of its own, which the server joins: Ctrl-C in a terminal is for
            # us, and the janitor knows its charges by the group.
            preexec_fn=lambda: os.setpgid(0, 0),  # noqa: PLW1509  one system call, no lock
        )
        self.directory.chmod(0o711)  # the server's user passes through
        self._server = self.directory / "server"
        self._client = self.directory / "client"
        for own in (self._server, self._client):
            own.mkdir(mode=0o700)
        self._give(self._server)
        self.ca_file = self._client / "ca.crt"
        self.log_file = self._client / "server.log"
        self._log = _private_opener(str(self.log_file), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.credentials_file = self._client / "credentials"
        self.environment_file = self._client / "environment"
        self._write(self.credentials_file, self._sections())
        self._write(self.environment_file, self.session_key.environment())

    def _start(self) -> None:
        for _ in range(PORTS_TO_TRY):
            self.port = free_port()
            self._write_pam_service()
            before = len(self.log())
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                **self._as_server(LD_PRELOAD=str(self._server / "pam_confdir.so")),
            )
            deadline = time.monotonic() + START_SECONDS
            while self._process.poll() is None:
                if self._is_ready():
                    return
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"{self.name} was not ready within {START_SECONDS} seconds"
                        + self._end_of_log()
                    )
                time.sleep(0.02)
            if "Address already in use" not in self.log()[before:]:
                raise ServerError(f"{self.name} did not start" + self._end_of_log())
        raise ServerError(f"{self.name} found no free port in {PORTS_TO_TRY} attempts")

    # For the tests.

    def log(self) -> str:
        """All that the server has logged."""
        return self.log_file.read_text(errors="replace")

    def records(self) -> list[Record]:
        """The passwords that have reached the verifier, the last one last. One that a client sends
        is there before the client has its answer.
        """
        return [Record.read(line) for line in self.records_file.read_text().splitlines()]

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pam_arguments(self) -> list[str]:
        """The verifier's arguments."""
        arguments = [
            f"credentials={self._server / 'credentials'}",
            f"endpoint={self.host}:{self.port}",
            "users=" + ",".join(self.users),
            f"record={self.records_file}",
        ]
        if self._more_credentials:
            arguments.insert(1, f"credentials={self._server / 'more-credentials'}")
        arguments += [f"endpoint={name}:{self.port}" for name in self.more_hostnames]
        if self.more_hostnames:
            arguments.append(f"region={self.region}")
        return arguments

    def description(self) -> dict[str, Any]:
        """What a client needs, as plain data without any secret."""
        return {
            "server": self.name,
            "host": self.host,
            "more_hostnames": self.more_hostnames,
            "hostaddr": self.hostaddr,
            "port": self.port,
            "dbname": self.dbname,
            "users": self.users,
            "region": self.region,
            "ca_file": str(self.ca_file),
            "credentials_file": str(self.credentials_file),
            "profiles": list(self.profiles),
            "environment_file": str(self.environment_file),
            "log_file": str(self.log_file),
            "records_file": str(self.records_file),
        }

    def _sections(self) -> str:
        return "".join(key.section(name) for name, key in self.profiles.items())

    # Certificates, PAM and processes.

    def _make_certificates(self) -> None:
        if not shutil.which("openssl"):
            raise ServerError("the command `openssl` is missing: install the package openssl")
        config = self._client / "openssl.cnf"
        names = ", ".join(f"DNS:{name}" for name in [self.host, *self.more_hostnames])
        config.write_text(
            "[req]\nprompt = no\ndistinguished_name = name\n"
            "[name]\nCN = rdstoken test CA\n"
            "[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n"
            "subjectKeyIdentifier = hash\n"
            "[server]\nbasicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\n"
            f"subjectAltName = {names}\n"
            "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n"
        )
        ca_key, key = self._client / "ca.key", self._server / "server.key"
        request, certificate = self._client / "server.csr", self._server / "server.crt"
        new = f"openssl req -config {config} -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        lasting = "-sha256 -days 2"
        issued_by = f"-CA {self.ca_file} -CAkey {ca_key} -set_serial 2"
        extensions = f"-extfile {config} -extensions server"
        issue = f"openssl x509 -req {lasting} {issued_by} {extensions}"
        for command in (
            f"{new} -x509 {lasting} -extensions ca -keyout {ca_key} -out {self.ca_file}",
            f"{new} -subj /CN=rdstoken-test-server -keyout {key} -out {request}",
            f"{issue} -in {request} -out {certificate}",
        ):
            self._finish(subprocess.Popen(command.split(), **self._as_ourselves()), command)
        ca_key.unlink()
        key.chmod(0o600)
        self._give(key)
        self._give(certificate)

    def _make_pam(self) -> None:
        # Copies, because the server's user need not be able to reach the originals.
        self._verifier = self._server / "pam_rdstoken.so"
        shutil.copyfile(self._module, self._verifier)
        self._give(self._verifier)
        self._write(self._server / "credentials", self._sections(), give=True)
        if self._more_credentials:
            more = self._more_credentials.read_text()
            self._write(self._server / "more-credentials", more, give=True)

        self.records_file = self._server / "records"
        self._write(self.records_file, "", give=True)

        directory = self._server / "pam.d"
        directory.mkdir(mode=0o700)
        self._give(directory)
        self.pam_service_file = directory / SERVICE
        library = self._server / "pam_confdir.so"
        command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
        command += [f'-DCONFDIR="{directory}"', "-o", str(library)]
        command += [str(HERE / "pam_confdir.c"), "-lpam"]
        if not shutil.which("cc"):
            raise ServerError("no C compiler: install the packages gcc and libc6-dev")
        try:
            self._finish(subprocess.Popen(command, **self._as_ourselves()), "cc")
        except ServerError as error:
            raise ServerError(
                f"cannot compile pam_confdir.c; is the package libpam0g-dev installed?\n{error}"
            ) from None
        self._give(library)

    def _write_pam_service(self) -> None:
        arguments = " ".join(pam_argument(argument) for argument in self.pam_arguments())
        lines = [
            f"auth required {self._verifier} {arguments}",
            f"account required {self._verifier}",
        ]
        # libpam's buffer for a line.
        if any(len(line.encode()) >= 1024 for line in lines):
            raise ServerError("too many users or too long paths for a line of a PAM service file")
        self._write(self.pam_service_file, "\n".join(lines) + "\n", give=True)

    def _run(self, *command: str, text: str = "") -> str:
        """Runs a command to its end as the server's user, and answers what it printed."""
        process = subprocess.Popen(command, **self._as_server(), **_OUTPUT)
        return self._finish(process, command[0], text)

    def _finish(self, process: subprocess.Popen[bytes], command: str, text: str = "") -> str:
        output = process.communicate(text.encode())[0].decode(errors="replace")
        if process.returncode:
            raise ServerError(f"{command.split(maxsplit=1)[0]} failed:\n{output.strip()}")
        return output

    def _as_server(self, **environment: str) -> dict[str, Any]:
        """How to start a process as the server's user, with nothing inherited."""
        who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return {
            "cwd": self._server,
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **environment},
            "preexec_fn": self._join_janitor,
            **(who if os.geteuid() == 0 else {}),
        }

    def _as_ourselves(self) -> dict[str, Any]:
        # A compiler that is killed leaves its temporary files behind.
        environment = os.environ | {"TMPDIR": str(self._client)}
        return {
            "cwd": self._client,
            "env": environment,
            "preexec_fn": self._join_janitor,
            **_OUTPUT,
        }

    def _join_janitor(self) -> None:
        """Whatever writes into the directory is the janitor's to stop before it removes that."""
        assert self._janitor
        os.setpgid(0, self._janitor.pid)

    def _write(self, path: pathlib.Path, text: str, *, give: bool = False) -> None:
        with open(path, "w", opener=_private_opener) as file:
            file.write(text)
        if give:
            self._give(path)

    def _give(self, path: pathlib.Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _end_of_log(self) -> str:
        return "; its log ends with:\n" + "\n".join(self.log().splitlines()[-20:])


_OUTPUT: dict[str, Any] = {
    "stdin": subprocess.PIPE,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
}


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def unprivileged_user() -> pwd.struct_passwd:
    """Ourselves; for root, who may not run a database server, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError("no system user `postgres` or `nobody` to run the server as")


def listen() -> socket.socket:
    """Listens on a free loopback port of five digits, so that a token's length does not vary."""
    while True:
        listener = socket.create_server(("127.0.0.1", 0))
        if listener.getsockname()[1] >= 10_000:
            return listener
        listener.close()


def free_port() -> int:
    with listen() as probe:
        port: int = probe.getsockname()[1]
    return port


def pam_argument(text: str) -> str:
    """The argument as a service file spells it."""
    if any(character in text for character in "#\\\n"):
        raise ServerError("a PAM argument here holds no '#', backslash or line end")
    return "[" + text.replace("]", "\\]") + "]"


# The janitor: a process that outlives its parent by a moment.


def _janitor(directory: str) -> None:
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(stop, signal.SIG_IGN)
    sys.stdin.buffer.read()  # ends when the parent closes it or is gone, however it went
    # PostgreSQL waits for its clients after the first alone, MariaDB passes over the second.
    _stop(signal.SIGTERM, signal.SIGINT)
    _stop(signal.SIGQUIT)
    # Again, if somebody still wrote there: a process that was just being started when its parent
    # went away joins us a moment late.
    while os.path.lexists(directory):
        _stop(signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)


def _stop(*signals: signal.Signals) -> None:
    for pid in _charges():
        for number in signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    deadline = time.monotonic() + STOP_SECONDS
    while list(_charges()) and time.monotonic() < deadline:
        time.sleep(0.02)


def _charges() -> Iterator[int]:
    """The living processes of the janitor's process group, but itself."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        # The name in brackets may hold anything.
        with contextlib.suppress(OSError, ValueError):
            state, _parent, group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            pid = int(stat.parent.name)
            if int(group) == os.getpgid(0) and state not in "ZX" and pid != os.getpid():
                yield pid


# The command.


def command(kind: type[PrivateServer]) -> NoReturn:
    """Runs a server until standard input ends or a signal comes. The `main` of each kind."""
    parser = argparse.ArgumentParser(
        description=f"Runs a private {kind.name} on a free loopback port that lets users in by IAM"
        " token alone, until standard input ends or SIGTERM, SIGINT or SIGHUP comes; then stops it"
        " and removes all its files."
    )
    add = parser.add_argument
    add("--print-json", action="store_true", help="print one line of JSON when ready, else text")
    add("--users", default="app,app_ro", help="users to create, with commas (default: %(default)s)")
    add("--hostname", default=HOSTNAME, help="the endpoint's name (default: %(default)s)")
    add("--more-hostnames", default="", metavar="NAMES",
        help="other names of the server, with commas")  # fmt: skip
    add("--token-lengths", default="", metavar="LENGTHS",
        help="with commas: each has a profile token-LENGTH whose tokens are that long")  # fmt: skip
    add("--session-token-length", type=int, default=1200, metavar="N",
        help="length of the default profile's session token (default: %(default)s)")  # fmt: skip
    add("--module", type=pathlib.Path, default=MODULE, metavar="PATH",
        help="the verifier (default: target/release/pam_rdstoken.so)")  # fmt: skip
    add("--credentials", type=pathlib.Path, metavar="PATH",
        help="a file in the AWS format with more keys for the server to know")  # fmt: skip
    options = parser.parse_args()

    leave_on_signals()
    try:
        with kind(
            users=options.users.split(","),
            hostname=options.hostname,
            more_hostnames=[name for name in options.more_hostnames.split(",") if name],
            token_lengths=[int(text) for text in options.token_lengths.split(",") if text],
            session_token_length=options.session_token_length,
            module=options.module,
            credentials=options.credentials,
        ) as server:
            description = server.description()
            if options.print_json:
                print(json.dumps(description), flush=True)
            else:
                lines = (f"{name}: {value}" for name, value in description.items())
                print(*lines, sep="\n", flush=True)
            wait(server)
    except (ServerError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    sys.exit(0)


def leave_on_signals() -> None:
    """SIGTERM, SIGINT and SIGHUP end this program well, after its clearing up."""
    stops = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def leave(*_: object) -> None:
        for stop in stops:
            signal.signal(stop, signal.SIG_IGN)  # no second one may interrupt the clearing up
        sys.exit(0)

    for stop in stops:
        signal.signal(stop, leave)


def wait(*servers: PrivateServer, standard_input: bool = True) -> None:
    """Until standard input ends, if that is to count. That a server ends is an error."""
    while all(server.is_running() for server in servers):
        if not standard_input:
            time.sleep(0.5)
            continue
        readable, _, _ = select.select([sys.stdin.buffer], [], [], 0.5)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            return
    name = next(server.name for server in servers if not server.is_running())
    raise ServerError(f"{name} has stopped by itself")


if __name__ == "__main__":
    _janitor(sys.argv[1])
