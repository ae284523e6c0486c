//! The little of libmariadb that a client plugin needs, as `<mysql.h>` and
//! `<mysql/client_plugin.h>` of `MariaDB` Connector/C 3 declare it. Nothing is linked: programs that
//! hold a libmariadb of their own, as the `mariadb` command does, export none of its functions, so
//! all calls go through the connection's table of them. A test compiles the layout against the real
//! headers.

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_uint, c_ulong, c_void};
use std::marker::PhantomData;
use std::ptr;

pub(crate) const AUTHENTICATION_PLUGIN: c_int = 2;
pub(crate) const INTERFACE_VERSION: c_uint = 0x0100;

/// `CR_ERROR`: an error is set in the connection.
pub(crate) const CR_ERROR: c_int = 0;
/// `CR_OK`: the password is sent, and libmariadb reads the answer.
pub(crate) const CR_OK: c_int = -1;
/// `CR_OK_HANDSHAKE_COMPLETE`: the answer is read too.
pub(crate) const CR_OK_HANDSHAKE_COMPLETE: c_int = -2;

/// `CR_SSL_CONNECTION_ERROR`
pub(crate) const SSL_CONNECTION_ERROR: c_uint = 2026;
/// `CR_AUTH_PLUGIN_ERR`
pub(crate) const AUTH_PLUGIN_ERROR: c_uint = 2061;
/// `ER_ACCESS_DENIED_ERROR` and `ER_ACCESS_DENIED_NO_PASSWORD_ERROR`.
const ACCESS_DENIED: [c_uint; 2] = [1045, 1698];

/// `CLIENT_SSL`
const SSL_CAPABILITY: c_ulong = 2048;

/// The number of the next packet, when the server has greeted and we have sent nothing. No command
/// leaves it so: the server's answer to one is packet 1 at least.
const AFTER_GREETING: c_uint = 1;

const OPT_SSL_VERIFY_SERVER_CERT: c_int = 21;
const OPT_SSL_ENFORCE: c_int = 38;
const OPT_TLS_PEER_FP: c_int = 7006;
const OPT_TLS_PEER_FP_LIST: c_int = 7007;

/// `struct st_mysql_client_plugin_AUTHENTICATION`: what the library exports.
#[repr(C)]
#[derive(Debug)]
pub struct Declaration {
    pub(crate) kind: c_int,
    pub(crate) interface_version: c_uint,
    pub(crate) name: *const c_char,
    pub(crate) author: *const c_char,
    pub(crate) description: *const c_char,
    pub(crate) version: [c_uint; 3],
    pub(crate) license: *const c_char,
    pub(crate) mysql_api: *mut c_void,
    pub(crate) init: Option<unsafe extern "C" fn()>,
    pub(crate) deinit: Option<unsafe extern "C" fn()>,
    pub(crate) options: Option<unsafe extern "C" fn()>,
    pub(crate) authenticate_user: unsafe extern "C" fn(*mut Vio, *mut Mysql) -> c_int,
}

// SAFETY: it points to constants only, and neither we nor libmariadb write to it.
unsafe impl Sync for Declaration {}

/// `MYSQL_PLUGIN_VIO`: the way to the server, for the time of one call.
#[repr(C)]
#[derive(Debug)]
pub struct Vio {
    read_packet: unsafe extern "C" fn(*mut Vio, *mut *mut c_uchar) -> c_int,
    // The header says `int` for the length, libmariadb's own functions take a `size_t`.
    write_packet: unsafe extern "C" fn(*mut Vio, *const c_uchar, usize) -> c_int,
    info: unsafe extern "C" fn(*mut Vio, *mut c_void),
}

/// `NET`
#[repr(C)]
#[derive(Debug)]
struct Net {
    pvio: *mut c_void,
    buff: *mut c_uchar,
    buff_end: *mut c_uchar,
    write_pos: *mut c_uchar,
    read_pos: *mut c_uchar,
    fd: c_int,
    remain_in_buf: c_ulong,
    length: c_ulong,
    buf_length: c_ulong,
    where_b: c_ulong,
    max_packet: c_ulong,
    max_packet_size: c_ulong,
    pkt_nr: c_uint,
    compress_pkt_nr: c_uint,
    write_timeout: c_uint,
    read_timeout: c_uint,
    retry_count: c_uint,
    fcntl: c_int,
    return_status: *mut c_uint,
    reading_or_writing: c_uchar,
    save_char: c_char,
    unused_1: c_char,
    unused_2: c_char,
    compress: c_char,
    unused_3: c_char,
    unused_4: *mut c_void,
    last_errno: c_uint,
    error: c_uchar,
    unused_5: c_char,
    unused_6: c_char,
    last_error: [c_char; 512],
    sqlstate: [c_char; 6],
    extension: *mut c_void,
}

/// `MA_MEM_ROOT`
#[repr(C)]
#[derive(Debug)]
struct MemRoot {
    free: *mut c_void,
    used: *mut c_void,
    pre_alloc: *mut c_void,
    min_malloc: usize,
    block_size: usize,
    block_num: c_uint,
    first_block_usage: c_uint,
    error_handler: Option<unsafe extern "C" fn()>,
}

/// `struct st_mysql_options`
#[repr(C)]
#[derive(Debug)]
struct Options {
    timeouts: [c_uint; 3],
    port: c_uint,
    protocol: c_uint,
    client_flag: c_ulong,
    texts: [*mut c_char; 5],
    init_command: *mut c_void,
    files: [*mut c_char; 4],
    ssl: [*mut c_char; 5],
    shared_memory_base_name: *mut c_char,
    max_allowed_packet: c_ulong,
    flags: [c_char; 7],
    methods_to_use: c_int,
    bind_address: *mut c_char,
    secure_auth: c_char,
    report_data_truncation: c_char,
    local_infile: [Option<unsafe extern "C" fn()>; 4],
    local_infile_userdata: *mut c_void,
    extension: *mut c_void,
}

/// `MYSQL`: a connection. libmariadb's own; read here, and changed through its functions only, but
/// for one byte (see `Connection::forget_reply`).
#[repr(C)]
#[derive(Debug)]
pub struct Mysql {
    net: Net,
    unused_0: *mut c_void,
    host: *mut c_char,
    user: *mut c_char,
    passwd: *mut c_char,
    unix_socket: *mut c_char,
    server_version: *mut c_char,
    host_info: *mut c_char,
    info: *mut c_char,
    db: *mut c_char,
    charset: *const c_void,
    fields: *mut c_void,
    field_alloc: MemRoot,
    affected_rows: u64,
    insert_id: u64,
    extra_info: u64,
    thread_id: c_ulong,
    packet_length: c_ulong,
    port: c_uint,
    client_flag: c_ulong,
    server_capabilities: c_ulong,
    protocol_version: c_uint,
    field_count: c_uint,
    server_status: c_uint,
    server_language: c_uint,
    warning_count: c_uint,
    options: Options,
    status: c_int,
    free_me: c_char,
    unused_1: c_char,
    scramble_buff: [c_char; 21],
    unused_2: c_char,
    unused_3_to_6: [*mut c_void; 4],
    stmts: *mut c_void,
    methods: *const Methods,
}

/// `struct st_mariadb_methods`, up to what is used.
#[repr(C)]
#[derive(Debug)]
struct Methods {
    before: [*const c_void; 16],
    set_error:
        Option<unsafe extern "C" fn(*mut Mysql, c_uint, *const c_char, format: *const c_char, ...)>,
    invalidate_stmts: *const c_void,
    api: *const Api,
}

/// `struct st_mariadb_api`, up to what is used.
#[repr(C)]
#[derive(Debug)]
struct Api {
    before_cipher: [*const c_void; 26],
    mysql_get_ssl_cipher: Option<unsafe extern "C" fn(*mut Mysql) -> *const c_char>,
    before_optionsv: [*const c_void; 49],
    mysql_optionsv: Option<unsafe extern "C" fn(*mut Mysql, option: c_int, ...) -> c_int>,
    mysql_get_optionv:
        Option<unsafe extern "C" fn(*mut Mysql, option: c_int, *mut c_void, ...) -> c_int>,
}

/// A connection that logs in, for the time of one call from libmariadb.
#[derive(Debug)]
pub(crate) struct Connection<'call> {
    vio: *mut Vio,
    mysql: *mut Mysql,
    call: PhantomData<&'call Mysql>,
}

/// How far TLS has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// It protects the connection.
    On,
    /// The server offers it, and nothing was sent yet: it can begin with the packet that we send.
    Offered,
    /// There is none on this connection.
    Missing,
}

impl Connection<'_> {
    /// `None` for a NULL, and for a connection without libmariadb's tables of functions.
    ///
    /// # Safety
    /// Both are what libmariadb gave for this call, and the connection does not outlive the call.
    pub(crate) unsafe fn new(vio: *mut Vio, mysql: *mut Mysql) -> Option<Self> {
        if vio.is_null() || mysql.is_null() {
            return None;
        }
        let made = Self {
            vio,
            mysql,
            call: PhantomData,
        };
        let complete = made.methods()?.set_error.is_some() && made.api().is_some();
        complete.then_some(made)
    }

    fn mysql(&self) -> &Mysql {
        // SAFETY: valid by `new`'s contract; nobody else uses the connection meanwhile.
        unsafe { &*self.mysql }
    }

    fn methods(&self) -> Option<&Methods> {
        // SAFETY: NULL, or libmariadb's constant table.
        unsafe { self.mysql().methods.as_ref() }
    }

    fn api(&self) -> Option<&Api> {
        let api = self.methods()?.api;
        // SAFETY: NULL, or libmariadb's constant table.
        unsafe { api.as_ref() }
    }

    /// The name that the program connects to; empty if there is none.
    pub(crate) fn host(&self) -> &CStr {
        // SAFETY: a text of the connection's own, which stays as long as we do not return.
        unsafe { text(self.mysql().host) }
    }

    pub(crate) fn port(&self) -> c_uint {
        self.mysql().port
    }

    pub(crate) fn user(&self) -> &CStr {
        // SAFETY: as for the host.
        unsafe { text(self.mysql().user) }
    }

    /// The password that the program gave; empty if it gave none.
    pub(crate) fn password(&self) -> &CStr {
        // SAFETY: as for the host.
        unsafe { text(self.mysql().passwd) }
    }

    pub(crate) fn tls(&self) -> Tls {
        let cipher = self.api().and_then(|api| api.mysql_get_ssl_cipher);
        // SAFETY: libmariadb's function, on its own connection.
        let cipher = cipher.map_or(ptr::null(), |cipher| unsafe { cipher(self.mysql) });
        if !cipher.is_null() {
            Tls::On
        } else if self.mysql().server_capabilities & SSL_CAPABILITY != 0
            && self.mysql().net.pkt_nr == AFTER_GREETING
        {
            Tls::Offered
        } else {
            Tls::Missing
        }
    }

    /// Whether libmariadb holds the server to a certificate: its chain and its name, or its
    /// fingerprint.
    pub(crate) fn verifies_server(&self) -> bool {
        self.flag(OPT_SSL_VERIFY_SERVER_CERT)
            || self.has_text(OPT_TLS_PEER_FP)
            || self.has_text(OPT_TLS_PEER_FP_LIST)
    }

    /// Makes libmariadb begin TLS before the first packet that we send, which it sends over TLS or
    /// not at all if the server [offers](Tls::Offered) it. Answers whether it understood.
    pub(crate) fn enforce_tls(&self) -> bool {
        let Some(set) = self.api().and_then(|api| api.mysql_optionsv) else {
            return false;
        };
        let on: c_char = 1;
        // SAFETY: libmariadb's function, on its own connection; the option is a `my_bool`, which it
        // copies.
        let failed = unsafe { set(self.mysql, OPT_SSL_ENFORCE, &raw const on) };
        failed == 0 && self.flag(OPT_SSL_ENFORCE)
    }

    fn flag(&self, option: c_int) -> bool {
        let mut value: c_char = 0;
        // SAFETY: these options are a `my_bool`.
        unsafe { self.option(option, (&raw mut value).cast()) && value != 0 }
    }

    fn has_text(&self, option: c_int) -> bool {
        let mut value: *const c_char = ptr::null();
        // SAFETY: these options are a text.
        let known = unsafe { self.option(option, (&raw mut value).cast()) };
        // SAFETY: a text of the connection's own, or NULL.
        known && !unsafe { text(value) }.is_empty()
    }

    /// # Safety
    /// `value` has room for what the option is.
    unsafe fn option(&self, option: c_int, value: *mut c_void) -> bool {
        let Some(get) = self.api().and_then(|api| api.mysql_get_optionv) else {
            return false;
        };
        // SAFETY: libmariadb's function, on its own connection; `value` by the contract above.
        unsafe { get(self.mysql, option, value) == 0 }
    }

    /// Sends a packet, in libmariadb's own buffer. False if that failed; libmariadb has set the
    /// error.
    pub(crate) fn send(&self, packet: &[u8]) -> bool {
        // SAFETY: valid by `new`'s contract.
        let write = unsafe { (*self.vio).write_packet };
        // SAFETY: as above; libmariadb copies the packet.
        unsafe { write(self.vio, packet.as_ptr(), packet.len()) == 0 }
    }

    /// Waits for the server's next packet, and passes over what it holds. False if it is an error
    /// (libmariadb has it), if it asks for another plugin, or if none came.
    pub(crate) fn receive(&self) -> bool {
        let mut packet = ptr::null_mut();
        // SAFETY: valid by `new`'s contract.
        let read = unsafe { (*self.vio).read_packet };
        // SAFETY: as above; `packet` is ours to be written.
        unsafe { read(self.vio, &raw mut packet) >= 0 }
    }

    pub(crate) fn has_error(&self) -> bool {
        self.mysql().net.last_errno != 0
    }

    /// Whether the server has refused the user or the password.
    pub(crate) fn is_refused(&self) -> bool {
        ACCESS_DENIED.contains(&self.mysql().net.last_errno)
    }

    /// Sets the error that the program will read.
    pub(crate) fn set_error(&self, number: c_uint, message: &str) {
        let Some(set) = self.methods().and_then(|methods| methods.set_error) else {
            return;
        };
        // Ours have no NUL.
        let message = CString::new(message).unwrap_or_default();
        // SAFETY: libmariadb's function, on its own connection, which it formats like printf, no
        // longer than its room for it.
        unsafe {
            set(
                self.mysql,
                number,
                c"HY000".as_ptr(),
                c"%s".as_ptr(),
                message.as_ptr(),
            );
        }
    }

    /// Before we answer with an error. Whatever the place of the last reply holds by now, perhaps
    /// what we have sent ourselves, must not pass for the server's request to go on with another
    /// plugin, whose name libmariadb would print. It clears the place too before it calls us.
    pub(crate) fn forget_reply(&self) {
        let place = self.mysql().net.read_pos;
        if !place.is_null() {
            // SAFETY: libmariadb's buffer for replies, which has at least a byte and which nobody
            // else uses meanwhile.
            unsafe { place.write(0) };
        }
    }
}

/// # Safety
/// `text` is NULL or a NUL-terminated text that lives for `'a`.
unsafe fn text<'a>(text: *const c_char) -> &'a CStr {
    if text.is_null() {
        return c"";
    }
    // SAFETY: by the function's contract.
    unsafe { CStr::from_ptr(text) }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;
    use std::mem::offset_of;
    use std::process::Command;

    use super::*;

    /// Offsets, sizes and numbers as C sees them: one assertion each.
    #[test]
    fn the_layout_is_that_of_the_headers() {
        let mut source = String::from(
            "#include <mysql.h>\n#include <mysql/client_plugin.h>\n#include <errmsg.h>\n\
             #include <mysqld_error.h>\n#include <stddef.h>\n\
             typedef struct st_mysql_client_plugin_AUTHENTICATION declaration;\n\
             typedef struct st_mariadb_methods methods;\ntypedef struct st_mariadb_api api;\n",
        );
        let mut claim = |c: &str, rust: usize| {
            writeln!(source, "_Static_assert({c} == {rust}, \"{c}\");").unwrap();
        };
        macro_rules! offsets {
            ($type:ty as $name:literal: $($field:ident as $there:literal),+ $(,)?) => {
                $(claim(
                    concat!("offsetof(", $name, ", ", $there, ")"),
                    offset_of!($type, $field),
                );)+
            };
        }
        offsets!(Declaration as "declaration":
            kind as "type", interface_version as "interface_version", name as "name",
            author as "author", description as "desc", version as "version",
            license as "license", mysql_api as "mysql_api", init as "init", deinit as "deinit",
            options as "options", authenticate_user as "authenticate_user");
        offsets!(Vio as "MYSQL_PLUGIN_VIO":
            read_packet as "read_packet", write_packet as "write_packet", info as "info");
        offsets!(Net as "NET":
            read_pos as "read_pos", pkt_nr as "pkt_nr", last_errno as "last_errno", last_error as "last_error",
            sqlstate as "sqlstate", extension as "extension");
        offsets!(Mysql as "MYSQL":
            net as "net", host as "host", user as "user", passwd as "passwd", port as "port",
            server_capabilities as "server_capabilities", options as "options",
            status as "status", methods as "methods");
        offsets!(Methods as "methods": set_error as "set_error", api as "api");
        offsets!(Api as "api":
            mysql_get_ssl_cipher as "mysql_get_ssl_cipher", mysql_optionsv as "mysql_optionsv",
            mysql_get_optionv as "mysql_get_optionv");
        claim("sizeof(declaration)", size_of::<Declaration>());
        claim("sizeof(NET)", size_of::<Net>());
        claim("sizeof(MA_MEM_ROOT)", size_of::<MemRoot>());
        claim("sizeof(struct st_mysql_options)", size_of::<Options>());
        for (name, number) in [
            (
                "MYSQL_CLIENT_AUTHENTICATION_PLUGIN",
                i64::from(AUTHENTICATION_PLUGIN),
            ),
            (
                "MYSQL_CLIENT_AUTHENTICATION_PLUGIN_INTERFACE_VERSION",
                INTERFACE_VERSION.into(),
            ),
            ("CR_ERROR", CR_ERROR.into()),
            ("CR_OK", CR_OK.into()),
            ("CR_OK_HANDSHAKE_COMPLETE", CR_OK_HANDSHAKE_COMPLETE.into()),
            ("CR_SSL_CONNECTION_ERROR", SSL_CONNECTION_ERROR.into()),
            ("CR_AUTH_PLUGIN_ERR", AUTH_PLUGIN_ERROR.into()),
            ("ER_ACCESS_DENIED_ERROR", ACCESS_DENIED[0].into()),
            (
                "ER_ACCESS_DENIED_NO_PASSWORD_ERROR",
                ACCESS_DENIED[1].into(),
            ),
            ("CLIENT_SSL", SSL_CAPABILITY.try_into().unwrap()),
            (
                "MYSQL_OPT_SSL_VERIFY_SERVER_CERT",
                OPT_SSL_VERIFY_SERVER_CERT.into(),
            ),
            ("MYSQL_OPT_SSL_ENFORCE", OPT_SSL_ENFORCE.into()),
            ("MARIADB_OPT_TLS_PEER_FP", OPT_TLS_PEER_FP.into()),
            ("MARIADB_OPT_TLS_PEER_FP_LIST", OPT_TLS_PEER_FP_LIST.into()),
        ] {
            writeln!(source, "_Static_assert({name} == {number}, \"{name}\");").unwrap();
        }

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("layout.c");
        fs::write(&file, source).unwrap();
        // <mysql/client_plugin.h> of Debian 12 includes it, and no package has it.
        let missing = "typedef struct ma_compress_ctx ma_compress_ctx;\n";
        fs::write(directory.path().join("ma_compress.h"), missing).unwrap();
        let flags = Command::new("pkg-config")
            .args(["--cflags", "libmariadb"])
            .output()
            .expect("pkg-config and the package libmariadb-dev are needed");
        let flags = String::from_utf8(flags.stdout).unwrap();
        let compiled = Command::new("cc")
            .args(["-std=c11", "-fsyntax-only"])
            .args(flags.split_whitespace())
            .arg("-I")
            .arg(directory.path())
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
    }

    #[test]
    fn nothing_is_an_empty_text() {
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { text(ptr::null()) }, c"");
        // SAFETY: a text that lives on.
        assert_eq!(unsafe { text(c"app".as_ptr()) }, c"app");
    }

    #[test]
    fn no_connection_is_no_connection() {
        // SAFETY: NULL is allowed.
        assert!(unsafe { Connection::new(ptr::null_mut(), ptr::null_mut()) }.is_none());
    }
}
