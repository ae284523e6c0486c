"""The sources of credentials: what each needs in the environment and in files, and what its own
server answers, well or faultily.
"""

from __future__ import annotations

import abc
import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import secrets
import signal
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from common import REGION, AccessKey
from faulty import STATUS_FAULTS, Answer, Request, Server

if TYPE_CHECKING:
    from typing_extensions import Self

SESSION_TOKEN = 1500
ROLE = "arn:aws:iam::123456789012:role/app"
START_URL = "https://example.awsapps.com/start"


def rfc3339(seconds: float) -> str:
    when = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Source(abc.ABC):
    """A source of credentials in a directory of its own. A context manager."""

    name: str
    late = False
    """Whether faults come with the last request only."""

    def __init__(self, directory: pathlib.Path, *, life: float = 3600) -> None:
        self.directory = directory
        self.key = AccessKey.random(SESSION_TOKEN)
        self.expires_at = int(time.time() + life)
        self.secrets: set[str] = {self.key.secret_access_key, self.key.session_token or ""}
        self.home = directory / "home"
        self.home.mkdir(parents=True)
        self._config = directory / "config"

    @abc.abstractmethod
    def environment(self) -> dict[str, str]:
        """What the source needs in the environment beside what `base` gives."""

    def base(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "AWS_CONFIG_FILE": str(self._config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / "credentials"),
            "RUST_LOG": "trace",
            "RUST_BACKTRACE": "1",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  files need no stopping
        """Stops what the source runs."""

    def trapped(self) -> int:
        """How often a redirect was followed."""
        return 0

    def left_running(self) -> int:
        """How many programs of the source's are still running."""
        return 0

    def secret(self) -> str:
        """A new one that nothing may ever show."""
        text = secrets.token_urlsafe(48)
        self.secrets.add(text)
        return text


class NetworkSource(Source):
    """With a server. `break_down` makes that faulty."""

    def __init__(self, directory: pathlib.Path, *, life: float = 3600) -> None:
        super().__init__(directory, life=life)
        self.trap_key = AccessKey.random(SESSION_TOKEN)
        self.secrets |= {self.trap_key.secret_access_key, self.trap_key.session_token or ""}
        self.server = Server(self.answer, late=self.late)
        self.trap = Server(self._answer_of_the_trap)
        self.server.trap = self.trap

    def close(self) -> None:
        self.server.close()
        self.trap.close()

    def trapped(self) -> int:
        return len(self.trap.requests)

    def break_down(self, fault: str) -> None:
        self.server.break_down(fault)

    def answer(self, request: Request, fault: str | None) -> Answer:
        return self.answer_with(self.key, request, fault)

    def _answer_of_the_trap(self, request: Request, fault: str | None) -> Answer:
        return self.answer_with(self.trap_key, request, fault)

    @abc.abstractmethod
    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        """The good answer for no fault; else one that quotes the keys and is faulty."""


def json_answer(key: AccessKey, expires_at: int, fault: str | None) -> Answer:
    """As ECS, EKS and EC2 give credentials."""
    if fault in STATUS_FAULTS:
        said = f"{key.secret_access_key} {key.session_token}"
        return Answer(json.dumps({"Code": said, "Message": said, "message": said}))
    answer: dict[str, Any] = {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "LastUpdated": rfc3339(time.time()),
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "Token": key.session_token,
        "Expiration": rfc3339(expires_at),
    }
    if fault == "malformed expiry":
        answer["Expiration"] = f"soon {key.secret_access_key}"
    if fault == "wrong types":
        answer["Expiration"] = [expires_at, key.secret_access_key]
        answer["SecretAccessKey"] = {key.secret_access_key: key.session_token}
    text = json.dumps(answer)
    if fault == "broken after the secret":
        text = text[: text.index("Expiration")] + "\\"
    return Answer(text)


class Container(NetworkSource):
    """ECS, and as EKS Pod Identity."""

    name = "container"

    def environment(self) -> dict[str, str]:
        token_file = self.directory / "authorization"
        token_file.write_text(self.secret())
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.server.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token_file),
        }

    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        if request.headers.get("authorization") not in self.secrets:
            return Answer("{}", status=401)
        return json_answer(key, self.expires_at, fault)


class InstanceMetadata(NetworkSource):
    """IMDSv2, faulty from the first request: the one for the session's token."""

    name = "instance metadata"

    def environment(self) -> dict[str, str]:
        self._session = self.secret()
        return {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.server.url,
        }

    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        path = "/latest/meta-data/iam/security-credentials/"
        if (request.method, request.path) == ("PUT", "/latest/api/token"):
            ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            return Answer(self._session, "text/plain", headers=(ttl,), last=False)
        if request.headers.get("x-aws-ec2-metadata-token") != self._session:
            return Answer("", status=401)
        if request.path == path:
            return Answer("app", "text/plain", last=False)
        if request.path == path + "app":
            return json_answer(key, self.expires_at, fault)
        return Answer("", status=404)


class LateInstanceMetadata(InstanceMetadata):
    """IMDSv2, faulty only when it comes to the credentials."""

    name = "instance metadata, late"
    late = True


def sts_answer(action: str, key: AccessKey, expires_at: int, fault: str | None) -> Answer:
    namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
    if fault in STATUS_FAULTS:
        said = f"{key.secret_access_key} {key.session_token}"
        error = f"<Type>Sender</Type><Code>{said}</Code><Message>{said}</Message>"
        text = f"<ErrorResponse {namespace}><Error>{error}</Error></ErrorResponse>"
        return Answer(text, "text/xml")
    expiration = rfc3339(expires_at)
    if fault == "malformed expiry":
        expiration = f"soon {key.secret_access_key}"
    secret = f"<SecretAccessKey>{key.secret_access_key}</SecretAccessKey>"
    if fault == "wrong types":
        secret = f"<SecretAccessKey><Value>{key.secret_access_key}</Value></SecretAccessKey>"
    credentials = (
        f"<AccessKeyId>{key.access_key_id}</AccessKeyId>{secret}"
        f"<SessionToken>{key.session_token}</SessionToken><Expiration>{expiration}</Expiration>"
    )
    user = f"<Arn>{ROLE}/session</Arn><AssumedRoleId>AROAEXAMPLE:session</AssumedRoleId>"
    text = (
        f"<{action}Response {namespace}><{action}Result><Credentials>{credentials}</Credentials>"
        f"<AssumedRoleUser>{user}</AssumedRoleUser></{action}Result>"
        f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    )
    if fault == "broken after the secret":
        text = text[: text.index("<Expiration>")] + "<&"
    return Answer(text, "text/xml")


class AssumeRole(NetworkSource):
    """A profile with a role, on top of another's keys."""

    name = "assume role"

    def environment(self) -> dict[str, str]:
        below = AccessKey.random(SESSION_TOKEN)
        self.secrets |= {below.secret_access_key, below.session_token or ""}
        self._config.write_text(
            f"[default]\nrole_arn = {ROLE}\nsource_profile = below\nregion = {REGION}\n"
            + below.section("profile below")
        )
        return {"AWS_ENDPOINT_URL_STS": self.server.url}

    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        form = parse_qs(request.body.decode())
        assert form["Action"] == ["AssumeRole"]
        assert form["RoleArn"] == [ROLE]
        return sts_answer("AssumeRole", key, self.expires_at, fault)


class WebIdentity(NetworkSource):
    name = "web identity"

    def environment(self) -> dict[str, str]:
        token_file = self.directory / "web-identity"
        self._token = self.secret()
        token_file.write_text(self._token)
        return {
            "AWS_ENDPOINT_URL_STS": self.server.url,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
            "AWS_ROLE_ARN": ROLE,
            "AWS_REGION": REGION,
        }

    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        form = parse_qs(request.body.decode())
        assert form["Action"] == ["AssumeRoleWithWebIdentity"]
        assert form["WebIdentityToken"] == [self._token]
        return sts_answer("AssumeRoleWithWebIdentity", key, self.expires_at, fault)


class Sso(NetworkSource):
    """A profile with its sign-in's cached token, as before there were sso-sessions."""

    name = "sso"

    def environment(self) -> dict[str, str]:
        self._config.write_text(f"[default]\n{self.settings()}")
        self.cache(START_URL)
        return {"AWS_ENDPOINT_URL_SSO": self.server.url}

    def settings(self) -> str:
        return (
            f"sso_start_url = {START_URL}\nsso_region = {REGION}\nsso_account_id = 123456789012\n"
            "sso_role_name = app\n"
        )

    def cache(self, identifier: str) -> None:
        self._token = self.secret()
        cache = self.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        name = hashlib.sha1(identifier.encode()).hexdigest()  # noqa: S324  as the SDKs name it
        token = {
            "startUrl": START_URL,
            "region": REGION,
            "accessToken": self._token,
            "expiresAt": rfc3339(time.time() + 3600),
        }
        (cache / f"{name}.json").write_text(json.dumps(token))

    def answer_with(self, key: AccessKey, request: Request, fault: str | None) -> Answer:
        assert request.path.startswith("/federation/credentials?")
        assert request.headers["x-amz-sso_bearer_token"] == self._token
        if fault in STATUS_FAULTS:
            return json_answer(key, self.expires_at, fault)
        credentials: dict[str, Any] = {
            "accessKeyId": key.access_key_id,
            "secretAccessKey": key.secret_access_key,
            "sessionToken": key.session_token,
            "expiration": self.expires_at * 1000,
        }
        if fault == "malformed expiry":
            credentials["expiration"] = f"soon {key.secret_access_key}"
        if fault == "wrong types":
            credentials["secretAccessKey"] = {key.secret_access_key: key.session_token}
        text = json.dumps({"roleCredentials": credentials})
        if fault == "broken after the secret":
            text = text[: text.index("expiration")] + "\\"
        return Answer(text)


class SsoSession(Sso):
    """The same with an sso-session, whose name the cached token goes by."""

    name = "sso session"

    def environment(self) -> dict[str, str]:
        self._config.write_text(
            "[default]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = app\n"
            f"[sso-session work]\nsso_start_url = {START_URL}\nsso_region = {REGION}\n"
        )
        self.cache("work")
        return {"AWS_ENDPOINT_URL_SSO": self.server.url}


NETWORK: list[type[NetworkSource]] = [
    Container,
    InstanceMetadata,
    LateInstanceMetadata,
    AssumeRole,
    WebIdentity,
    Sso,
]


PROCESS_FAULTS = [
    "missing program",
    "non-zero exit",
    "hangs",
    "ignores SIGTERM",
    "garbage",
    "huge output",
    "endless output",
    "malformed expiry",
    "wrong types",
    "killed",
]
FILE_FAULTS = ["directory", "fifo", "malformed", "binary", "loop", "huge file"]


class Process(Source):
    """A profile with a credential_process. Its faults are the program's, or the file's."""

    name = "process"

    def __init__(self, directory: pathlib.Path, *, life: float = 3600) -> None:
        super().__init__(directory, life=life)
        self._script = directory / "program"
        self._pids = directory / "pids"
        self._pids.touch()

    def environment(self) -> dict[str, str]:
        self._write(f"cat <<'END'\n{self._output()}\nEND\n")
        self._config.write_text(f"[default]\ncredential_process = {self._script}\n")
        return {}

    def _write(self, text: str) -> None:
        # Not the same file written over: that may be running.
        new = self.directory / "program.new"
        new.write_text(f"#!/bin/sh\necho $$ >>'{self._pids}'\n{text}")
        new.chmod(0o700)
        new.replace(self._script)

    def _output(self, **changes: Any) -> str:
        answer: dict[str, Any] = {
            "Version": 1,
            "AccessKeyId": self.key.access_key_id,
            "SecretAccessKey": self.key.secret_access_key,
            "SessionToken": self.key.session_token,
            "Expiration": rfc3339(self.expires_at),
        }
        return json.dumps(answer | changes)

    def left_running(self) -> int:
        end = time.monotonic() + 1
        while self._running() and time.monotonic() < end:
            time.sleep(0.05)
        return len(self._running())

    def close(self) -> None:
        for pid in self._running():
            os.kill(pid, signal.SIGKILL)

    def _running(self) -> list[int]:
        """The programs that were started and have not ended."""
        found = []
        for pid in map(int, self._pids.read_text().split()):
            # Another process may have the number by now.
            with contextlib.suppress(OSError):
                if str(self._script).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return found

    def break_down(self, fault: str) -> None:
        keys = f"{self.key.secret_access_key} {self.key.session_token}"
        good = f"cat <<'END'\n{self._output()}\nEND\n"
        # `read` from a pipe that nobody writes to: no process besides the shell.
        forever = f"mkfifo '{self.directory}/never'\nread line <>'{self.directory}/never'\n"
        programs = {
            "non-zero exit": f"{good}echo '{keys}' >&2\nexit 3\n",
            "hangs": f"{good}{forever}",
            "ignores SIGTERM": f"trap '' TERM HUP INT\n{good}{forever}",
            "garbage": f"echo '{keys}'\n",
            "huge output": f"head -c 52428800 /dev/zero | tr '\\0' ' '\n{good}",
            "endless output": "exec yes ' '\n",
            "killed": f"{good}kill -KILL $$\n",
        }
        outputs: dict[str, dict[str, Any]] = {
            "malformed expiry": {"Expiration": f"soon {keys}"},
            "wrong types": {"SecretAccessKey": {self.key.secret_access_key: keys}},
        }
        if fault in programs:
            self._write(programs[fault])
        elif fault in outputs:
            self._write(f"cat <<'END'\n{self._output(**outputs[fault])}\nEND\n")
        elif fault == "missing program":
            self._script.unlink()
        else:
            self._break_file(fault, keys)

    def _break_file(self, fault: str, keys: str) -> None:
        good = self._config.read_text()
        self._config.unlink()
        match fault:
            case "directory":
                self._config.mkdir()
            case "fifo":
                os.mkfifo(self._config)
            case "malformed":
                self._config.write_text(f"[default\naws_secret_access_key {keys}\n= {keys}\n")
            case "binary":
                self._config.write_bytes(b"\xff\xfe" + keys.encode() + b"\x00")
            case "loop":
                roles = f"role_arn = {ROLE}\nsource_profile ="
                self._config.write_text(
                    f"[default]\n{roles} one\n[profile one]\n{roles} two\n"
                    f"[profile two]\n{roles} one\n"
                )
            case "huge file":
                line = f"name = {'x' * 1000}\n"
                self._config.write_text(f"[profile other]\n{line * 50_000}{good}")
            case _:
                raise AssertionError(fault)
