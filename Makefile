# rdstoken: build, test and install. `make help` lists what there is.

PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  ?= python3

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME  := librdstoken.so.0
RELEASE := target/release
VENV    := .venv
GUARD   := tests/guard.sh

# What is needed beyond Rust, Python 3 and Node. The names are the same on Debian and Ubuntu.
# For the build and the servers:
PACKAGES := build-essential pkg-config python3-venv openssl libpq-dev libpam0g-dev \
            postgresql mariadb-server mariadb-client
# For the tests and the linters: what C programs are tested with, and the drivers.
TEST_PACKAGES := $(PACKAGES) libcmocka-dev libcjson-dev faketime valgrind cmake python3-dev \
                 libmariadb-dev unixodbc unixodbc-dev odbc-postgresql odbc-mariadb \
                 pgbouncer default-jdk-headless libpostgresql-jdbc-java libmariadb-java \
                 $(if $(shell command -v go),,golang-go)

# As maturin has it: the Python module leaves its interpreter's symbols to the interpreter.
export PYO3_BUILD_EXTENSION_MODULE := 1

# Where all that is copied, linked and tested from here is looked for, whatever Cargo is set to.
export CARGO_TARGET_DIR := $(CURDIR)/target

# Two of apt-get, of Cargo or of pip would wait for or break each other.
.NOTPARALLEL:

$(if $(word 2,$(CURDIR)),$(error Make cannot build in a folder with a space in its path: move "$(CURDIR)"))

comma := ,
say = @printf '\n\033[1m%s\033[0m\n' '$(1)'

.PHONY: help
help:
	@echo 'make run       build everything, log in to a private PostgreSQL and MariaDB from every language'
	@echo 'make servers   start a private PostgreSQL and MariaDB, print how to log in, until Ctrl-C'
	@echo 'make test      run the tests of every language'
	@echo 'make bench     measure speed, memory and size beside the peers; needs an idle machine'
	@echo 'make lint      formatters, linters and type checkers of every language'
	@echo 'make build     library, command, verifier, .venv with the Python package, bindings/node'
	@echo 'make header    write include/rdstoken.h from ffi/src'
	@echo 'make drivers   measure what drivers do to tokens, and write docs/drivers.md'
	@echo 'make vectors   write tests/vectors/presign.json with botocore'
	@echo 'make install   PREFIX=/usr/local DESTDIR=: library, headers, client plugin, command'
	@echo 'make clean     remove what was built'

# --- what must be there ---------------------------------------------------------------------------

.PHONY: packages test-packages test-python-version
packages:
	@sh tests/packages.sh $(PACKAGES)

test-packages:
	@sh tests/packages.sh $(TEST_PACKAGES)

# Two of the drivers that the tests pin, SQLAlchemy and pyodbc, take no older one.
TEST_PYTHON := 3.11

test-python-version:
	@$(firstword $(wildcard $(VENV)/bin/python) $(PYTHON)) -c 'import sys; \
	    sys.version_info >= ($(subst .,$(comma) ,$(TEST_PYTHON))) or sys.exit( \
	        "The tests take Python $(TEST_PYTHON) or newer, and this is %d.%d. Name another: " \
	        "make clean; make test PYTHON=python$(TEST_PYTHON)" % sys.version_info[:2])'

REQUIREMENTS      := bindings/python/requirements-dev.txt
TEST_REQUIREMENTS := tests/requirements.txt tests/drivers/requirements.txt
OLD_REQUIREMENTS  := tests/drivers/requirements-old.txt
PIP               := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check

$(VENV)/installed: $(REQUIREMENTS)
	$(call say,Setting up the Python environment in $(VENV))
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install $(REQUIREMENTS:%=-r %)
	@touch $@

# Some are compiled against what test-packages installs. The tests themselves ask no registry: what
# they install is kept here in wheels/, and the drivers of yesterday in old/.
$(VENV)/test-installed: $(TEST_REQUIREMENTS) $(OLD_REQUIREMENTS) $(VENV)/installed \
    | test-python-version test-packages
	$(call say,Installing the Python drivers)
	$(PIP) install $(TEST_REQUIREMENTS:%=-r %)
	rm -rf $(VENV)/old $(VENV)/wheels
	$(PIP) install --no-deps --target $(VENV)/old -r $(OLD_REQUIREMENTS)
	$(PIP) download --dest $(VENV)/wheels "$$(grep '^psycopg\[' $(REQUIREMENTS))"
	@touch $@

GO_MODULE := tests/drivers/senders/go

target/go/installed: $(GO_MODULE)/go.mod $(GO_MODULE)/go.sum | test-packages
	$(call say,Fetching the Go driver)
	cd $(GO_MODULE) && GOPATH=$(abspath target/go) GOFLAGS=-modcacherw go mod download
	@touch $@

bindings/node/node_modules/installed: bindings/node/package-lock.json
	$(call say,Installing the Node packages for development)
	npm ci --prefix bindings/node --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# --- build ----------------------------------------------------------------------------------------

.PHONY: build native python node
build: native python node

native: packages
	$(call say,Building the library$(comma) the command and the verifier)
	cargo build --release --locked -p rdstoken-ffi -p rdstoken-cli -p rdstoken-pam -p rdstoken-mariadb
	@ln -sf librdstoken.so $(RELEASE)/$(SONAME)
	@cp $(RELEASE)/libpam_rdstoken.so $(RELEASE)/pam_rdstoken.so
	@cp $(RELEASE)/librdstoken_mariadb.so $(RELEASE)/mysql_clear_password.so

python: packages $(VENV)/installed
	$(call say,Building the Python package)
	VIRTUAL_ENV=$(abspath $(VENV)) $(VENV)/bin/maturin develop --quiet --release --locked -m bindings/python/Cargo.toml

node: bindings/node/node_modules/installed
	$(call say,Building the Node package)
	node bindings/node/build.mjs

# --- run ------------------------------------------------------------------------------------------

.PHONY: run
run: build
	@$(GUARD) $(VENV)/bin/python tests/demo.py

.PHONY: servers
servers: build
	@$(VENV)/bin/python tests/servers/local.py

# --- test -----------------------------------------------------------------------------------------

HOSTS  := tests/hosts.sh
PYTEST := $(VENV)/bin/python -m pytest -q

.PHONY: test test-rust test-c test-node test-python test-drivers
test: test-python-version test-rust test-c test-node test-python test-drivers

test-rust: test-packages
	$(call say,Testing the Rust crates)
	cargo test --workspace --locked --quiet --no-run
	$(GUARD) cargo test --workspace --locked --quiet

test-c: test-packages native
	$(call say,Testing the C interface$(comma) plainly$(comma) under AddressSanitizer and under valgrind)
	$(MAKE) --no-print-directory -C tests/c run valgrind

test-node: test-packages native node
	$(call say,Testing the Node package$(comma) and each driver with it)
	cd bindings/node && ../../$(GUARD) npm test
	cd bindings/node && ../../$(GUARD) ../../$(HOSTS) npm run --silent test:drivers

test-python: build $(VENV)/test-installed
	$(call say,Testing the Python package$(comma) the command$(comma) the real servers and the installation)
	$(GUARD) $(PYTEST) bindings/python
	$(GUARD) $(PYTEST) -c tests/pytest.ini tests --ignore tests/drivers

test-drivers: build $(VENV)/test-installed target/go/installed
	$(call say,Testing each driver of Python$(comma) C and ODBC$(comma) and what all drivers do to tokens)
	$(GUARD) $(HOSTS) $(PYTEST) -c tests/pytest.ini tests/drivers

# --- lint -----------------------------------------------------------------------------------------

.PHONY: lint
lint: python $(VENV)/test-installed bindings/node/node_modules/installed
	$(call say,Linting Rust)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	$(call say,Linting C$(comma) Python and Node)
	cargo test --quiet --locked -p rdstoken-ffi --test header
	$(VENV)/bin/ruff check bindings/python tests
	$(VENV)/bin/ruff format --check bindings/python tests
	cd bindings/python && ../../$(VENV)/bin/mypy
	cd bindings/python && ../../$(GUARD) ../../$(VENV)/bin/python -m mypy.stubtest rdstoken --allowlist stubtest-allowlist.txt --mypy-config-file pyproject.toml
	cd tests && MYPYPATH=servers ../$(VENV)/bin/mypy --config-file ../bindings/python/pyproject.toml *.py vectors
	cd tests/servers && ../../$(VENV)/bin/mypy --config-file ../../bindings/python/pyproject.toml *.py
	$(VENV)/bin/ruff check --config tests/ruff.toml benches
	$(VENV)/bin/ruff format --check --config tests/ruff.toml benches
	cd benches && MYPYPATH=.:../bindings/python/python ../$(VENV)/bin/mypy --config-file ../bindings/python/pyproject.toml *.py parts python/*.py
	cd tests/sources && MYPYPATH=..:../servers ../../$(VENV)/bin/mypy --config-file ../../bindings/python/pyproject.toml *.py
	cd tests/drivers && MYPYPATH=..:../servers ../../$(VENV)/bin/mypy --config-file ../../bindings/python/pyproject.toml *.py senders/*.py
	npm --prefix bindings/node run --silent lint
	npm --prefix bindings/node run --silent types:check

# --- measure --------------------------------------------------------------------------------------

# On a machine that does nothing else: ours and the peers in one run, and what came of it.
.PHONY: bench
bench: build
	@sh tests/packages.sh hyperfine valgrind
	$(call say,Installing what it is measured with)
	$(VENV)/bin/python benches/run.py --install
	$(call say,Measuring)
	$(GUARD) $(VENV)/bin/python benches/run.py

# --- generated files ------------------------------------------------------------------------------

.PHONY: header drivers vectors
header:
	RDSTOKEN_WRITE_HEADER=1 cargo test --quiet --locked -p rdstoken-ffi --test header

drivers: build $(VENV)/test-installed target/go/installed
	RDSTOKEN_WRITE_DRIVERS=1 $(GUARD) $(HOSTS) $(PYTEST) -c tests/pytest.ini tests/drivers/test_matrix.py

vectors: $(VENV)/installed
	$(VENV)/bin/python tests/vectors/generate.py

# --- install --------------------------------------------------------------------------------------

# `make build` first, as yourself; `make install` copies, and so can be run by root.
# The loader finds /usr/local/lib by its cache alone. Where DESTDIR is given, that is the package's
# to renew.
.PHONY: install
install:
	@test -e $(RELEASE)/librdstoken.so || { echo 'run "make build" first' >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	    $(DESTDIR)$(PREFIX)/lib/cmake/rdstoken $(DESTDIR)$(PREFIX)/lib/rdstoken/plugin
	install -m 755 $(RELEASE)/rdstoken $(DESTDIR)$(PREFIX)/bin/rdstoken
	install -m 644 include/rdstoken.h include/rdstoken.hpp $(DESTDIR)$(PREFIX)/include
	install -m 755 $(RELEASE)/librdstoken.so $(DESTDIR)$(PREFIX)/lib/librdstoken.so.$(VERSION)
	ln -sf librdstoken.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/librdstoken.so
	install -m 644 $(RELEASE)/librdstoken.a $(DESTDIR)$(PREFIX)/lib/librdstoken.a
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' ffi/rdstoken.pc.in \
	    > $(DESTDIR)$(PREFIX)/lib/pkgconfig/rdstoken.pc
	chmod 644 $(DESTDIR)$(PREFIX)/lib/pkgconfig/rdstoken.pc
	for name in rdstoken-config rdstoken-config-version; do \
	    sed -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' ffi/cmake/$$name.cmake.in \
	        > $(DESTDIR)$(PREFIX)/lib/cmake/rdstoken/$$name.cmake && \
	    chmod 644 $(DESTDIR)$(PREFIX)/lib/cmake/rdstoken/$$name.cmake || exit 1; \
	done
	install -m 755 $(RELEASE)/mysql_clear_password.so \
	    $(DESTDIR)$(PREFIX)/lib/rdstoken/plugin/mysql_clear_password.so
	if [ -z "$(DESTDIR)" ]; then PATH="$$PATH:/sbin" ldconfig 2>/dev/null || true; fi

.PHONY: clean
clean:
	cargo clean
	rm -rf $(VENV) bindings/node/node_modules bindings/node/*.node
