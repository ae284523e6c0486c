use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use log::{LevelFilter, Log, Metadata, Record};

/// How grave a log record is. Larger numbers are less grave.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rdstoken_log_level {
    /// No record has this level: as the largest level wanted, it turns the log off.
    RDSTOKEN_LOG_OFF = 0,
    /// Something failed for good.
    RDSTOKEN_LOG_ERROR = 1,
    /// Something failed that the library gets over, or is likely to fail at the server.
    RDSTOKEN_LOG_WARN = 2,
    /// Something worth knowing.
    RDSTOKEN_LOG_INFO = 3,
    /// Each token signed and each renewal of credentials.
    RDSTOKEN_LOG_DEBUG = 4,
}

/// Receives log records. `level` is a number of rdstoken_log_level; `message` is one line, which
/// lives until the function returns and never holds a secret.
///
/// It is called by whatever thread has something to log, several at once, and while no lock of the
/// library's is held. It must not unwind or jump out of the call.
pub type rdstoken_log_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, level: i32, message: *const c_char)>;

struct Sink {
    function: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
    user_data: *mut c_void,
}

// SAFETY: the header says that the callback is called by any thread, several at once.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

struct Logger {
    sink: ArcSwapOption<Sink>,
}

static LOGGER: Logger = Logger {
    sink: ArcSwapOption::const_empty(),
};

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Ours alone: what the libraries below log is not known to be free of secrets.
        metadata.target() == "rdstoken" && metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if let Some(sink) = self.sink.load_full() {
            let message = CString::new(record.args().to_string()).unwrap_or_default();
            // SAFETY: whoever set the callback promised that it can be called with this data.
            unsafe { (sink.function)(sink.user_data, level_of(record), message.as_ptr()) };
        }
    }

    fn flush(&self) {}
}

fn level_of(record: &Record<'_>) -> i32 {
    match record.level() {
        log::Level::Error => rdstoken_log_level::RDSTOKEN_LOG_ERROR as i32,
        log::Level::Warn => rdstoken_log_level::RDSTOKEN_LOG_WARN as i32,
        log::Level::Info => rdstoken_log_level::RDSTOKEN_LOG_INFO as i32,
        log::Level::Debug | log::Level::Trace => rdstoken_log_level::RDSTOKEN_LOG_DEBUG as i32,
    }
}

/// Sends the log records of the whole process to a callback, in place of the one set before.
///
/// - `callback`: receives the records. NULL: no one does, as in the beginning.
/// - `user_data`: handed to the callback.
/// - `max_level`: the largest rdstoken_log_level that is wanted.
///
/// A call of the old callback that is under way on another thread may still end after this
/// function has returned, so its `user_data` had better live for ever.
///
/// # Safety
/// `callback` is NULL or a function of its type, and may be called with `user_data` by any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_log_set_callback(
    callback: rdstoken_log_callback,
    user_data: *mut c_void,
    max_level: i32,
) {
    // Fails if it is set already: to the same.
    drop(log::set_logger(&LOGGER));
    LOGGER.sink.store(callback.map(|function| {
        Arc::new(Sink {
            function,
            user_data,
        })
    }));
    log::set_max_level(match (callback, max_level) {
        (None, _) | (_, ..=0) => LevelFilter::Off,
        (_, 1) => LevelFilter::Error,
        (_, 2) => LevelFilter::Warn,
        (_, 3) => LevelFilter::Info,
        (_, 4..) => LevelFilter::Debug,
    });
}
