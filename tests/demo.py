"""`make run`: one token from four faces, a real PostgreSQL that lets each of them in, and a real
MariaDB that lets in clients which were given no password.

Standard library only. Run it through tests/guard.sh, after `make build`.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "servers"))

from mariadb import MariaDB  # noqa: E402
from postgres import Postgres  # noqa: E402

RELEASE = ROOT / "target" / "release"
USER = "app"
ANOTHER_HOST = "other.cluster-abc123def456.us-east-1.rds.amazonaws.com"


class UnexpectedError(Exception):
    """The demonstration did not go as it must."""


def heading(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


class Face:
    """A language, and its two example programs."""

    def __init__(self, name: str, driver: str, login: list[str], presign: list[str]) -> None:
        self.name, self.driver, self.login, self.presign = name, driver, login, presign


def faces(built: pathlib.Path) -> list[Face]:
    bindings = ROOT / "bindings"

    def both(start: list[str], directory: pathlib.Path, ending: str) -> tuple[list[str], list[str]]:
        login, presign = (str(directory / f"{name}{ending}") for name in ("login", "presign"))
        return [*start, login], [*start, presign]

    python = bindings / "python" / "examples"
    return [
        Face("C", "libpq", *both([], built, "")),
        Face("Python", "psycopg", *both([sys.executable], python, ".py")),
        Face("Node", "pg", *both(["node"], bindings / "node" / "examples", ".mjs")),
        Face("shell", "psql", *both([], bindings / "cli" / "examples", ".sh")),
    ]


def compile_c(built: pathlib.Path) -> None:
    libpq = run(["pkg-config", "--cflags", "--libs", "libpq"], {}).stdout.split()
    for name in ("login", "presign"):
        source = ROOT / "ffi" / "examples" / f"{name}.c"
        ours = [f"-I{ROOT / 'include'}", f"-L{RELEASE}", f"-Wl,-rpath,{RELEASE}", "-lrdstoken"]
        warnings = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
        run(["cc", *warnings, str(source), "-o", str(built / name), *ours, *libpq], {})


def run(
    command: list[str], environment: dict[str, str], *, may_fail: bool = False
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        env=os.environ | {"PATH": f"{RELEASE}:{os.environ['PATH']}"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and not may_fail:
        raise UnexpectedError(f"{command[0]} failed:\n{done.stderr}{done.stdout}")
    return done


def show_the_token(server: Postgres, every: list[Face]) -> None:
    key = server.session_key
    keys = {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_SESSION_TOKEN": key.session_token or "",
    }
    now = str(int(time.time()))
    made = {
        face.name: run([*face.presign, server.host, str(server.port), USER, now], keys).stdout
        for face in every
    }
    token = made["C"].rstrip("\n")
    heading("The token (made from throwaway keys, which only this server knows)")
    print(token)
    heading("The same bytes from each face, signed for the same second")
    for name, text in made.items():
        digest = hashlib.sha256(text.rstrip("\n").encode()).hexdigest()
        print(f"  {name:<8} {len(text) - 1:>5} bytes   sha256 {digest}")
    if len(set(made.values())) != 1:
        raise UnexpectedError("the faces made different tokens")


def log_in(server: Postgres, connection: dict[str, str], every: list[Face]) -> None:
    heading("Logging in, with credentials found in a profile and the certificate verified")
    chain = {"AWS_SHARED_CREDENTIALS_FILE": str(server.credentials_file)}
    for face in every:
        command = [*face.login, server.host, str(server.port), USER]
        user = run(command, connection | chain).stdout.strip()
        if user != USER:
            raise UnexpectedError(f"{face.name} is logged in as {user!r}")
        print(f"  {face.name:<8} {face.driver:<8} current_user = {user}")


def log_in_to_mariadb() -> None:
    heading("Logging in to a private MariaDB, with no password configured anywhere")
    # The mariadb command connects to the name that it verifies, and this one needs no /etc/hosts.
    name = "localhost"
    with MariaDB(more_hostnames=[name]) as server, tempfile.TemporaryDirectory() as plugins:
        shutil.copy(RELEASE / "mysql_clear_password.so", plugins)
        chain = {
            "AWS_SHARED_CREDENTIALS_FILE": str(server.credentials_file),
            "AWS_REGION": server.region,
        }
        where = ["--port", str(server.port), "--hostname", name, "--username", USER]
        tls = [f"--ssl-ca={server.ca_file}", "--ssl-verify-server-cert", "--protocol=tcp"]
        who = [f"--host={name}", f"--port={server.port}", f"--user={USER}", *tls]
        query = ["--batch", "--skip-column-names", "--execute=SELECT CURRENT_USER()"]
        exec_ = ["rdstoken", "exec", "--no-hostname-warning", *where, "--ca-file"]
        ways = {
            "rdstoken exec": [*exec_, str(server.ca_file), "--", "mariadb", *query],
            "client plugin": ["mariadb", "--no-defaults", f"--plugin-dir={plugins}", *who, *query],
        }
        for way, command in ways.items():
            user = run(command, chain).stdout.strip()
            if not user.startswith(f"{USER}@"):
                raise UnexpectedError(f"the mariadb command is logged in as {user!r}")
            print(f"  {way:<17} mariadb  current_user = {user}")


def show_refusals(server: Postgres, connection: dict[str, str]) -> None:
    chain = {"AWS_SHARED_CREDENTIALS_FILE": str(server.credentials_file)}

    def token(host: str = server.host, *options: str) -> str:
        arguments = ["--hostname", host, "--port", str(server.port), "--username", USER]
        return run(["rdstoken", "token", *arguments, *options], chain).stdout.rstrip("\n")

    good = token()
    flipped = "1" if good.endswith("0") else "0"
    long_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 16 * 60))
    refused = {
        "one digit of the signature changed": good[:-1] + flipped,
        "signed 16 minutes ago": token(server.host, "--signing-time", long_ago),
        "signed for another host": token(ANOTHER_HOST),
    }
    heading("What is refused, and what the server's log says of it")
    psql = ["psql", "--no-psqlrc", "--no-password", "--host", server.host]
    psql += ["--port", str(server.port), "--username", USER, "--command", "SELECT 1"]
    for why, password in refused.items():
        before = len(server.log())
        done = run(psql, connection | {"PGPASSWORD": password}, may_fail=True)
        if done.returncode == 0:
            raise UnexpectedError(f"a token {why} was let in")
        said = done.stderr.strip().rpartition("FATAL:")[2].strip()
        new = server.log()[before:].splitlines()
        reason = next((line for line in new if line.startswith("pam_rdstoken:")), "")
        if not reason:
            raise UnexpectedError("the server's log gives no reason")
        print(f"  {why}\n    client: {said}\n    server: {reason}")


def main() -> int:
    if "RDSTOKEN_TEST_GUARD" not in os.environ:
        print("run this through tests/guard.sh, as `make run` does", file=sys.stderr)
        return 2
    heading("Starting a private PostgreSQL that asks for IAM tokens, as Aurora does")
    try:
        with tempfile.TemporaryDirectory(prefix="rdstoken-demo.") as built, Postgres() as server:
            print(f"  endpoint   {server.host}:{server.port}")
            print(f"  listens    {server.hostaddr}, TLS only, with a certificate for that name")
            print("  verifier   pam_rdstoken, with throwaway keys and a session token")
            compile_c(pathlib.Path(built))
            every = faces(pathlib.Path(built))
            connection = {
                "PGHOSTADDR": server.hostaddr,
                "PGDATABASE": server.dbname,
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": str(server.ca_file),
            }
            show_the_token(server, every)
            log_in(server, connection, every)
            log_in_to_mariadb()
            show_refusals(server, connection)
    except UnexpectedError as problem:
        print(f"\nmake run: {problem}", file=sys.stderr)
        return 1
    print("\nThe servers are stopped and their files are gone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
