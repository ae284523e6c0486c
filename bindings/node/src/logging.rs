//! Core's log records on their way to a JavaScript function.

use std::sync::{Arc, Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

/// How many records may wait for JavaScript. More are dropped: logging must not fill the memory
/// while the event loop is busy.
const QUEUE: usize = 1024;

/// Weak, so that it keeps no process alive.
type Sink = ThreadsafeFunction<Entry, (), Entry, Status, false, true, QUEUE>;

/// One log record.
#[napi(object, object_from_js = false)]
pub struct Entry {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// One line, without secrets.
    pub message: String,
}

/// One for the process: its threads' environments share the addon's memory.
struct Logger(Mutex<Option<Arc<Sink>>>);

static LOGGER: Logger = Logger(Mutex::new(None));

/// Sends the records of the whole process to `sink`, to nobody if there is none. `level` is the
/// least grave one wanted, from 1 for errors to 4.
#[napi]
pub fn set_logger(sink: Option<Function<'_, Entry, ()>>, level: u32) -> napi::Result<()> {
    let sink = match sink {
        Some(function) => Some(Arc::new(
            function
                .build_threadsafe_function::<Entry>()
                .weak::<true>()
                .max_queue_size::<QUEUE>()
                .build()?,
        )),
        None => None,
    };
    let wanted = match sink {
        Some(_) => filter(level),
        None => LevelFilter::Off,
    };
    // Fails if it is set already: to the same.
    drop(log::set_logger(&LOGGER));
    LOGGER.replace(sink, wanted, |_| true);
    Ok(())
}

impl Logger {
    fn replace(
        &self,
        sink: Option<Arc<Sink>>,
        filter: LevelFilter,
        old_one: impl FnOnce(Option<&Arc<Sink>>) -> bool,
    ) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !old_one(current.as_ref()) {
            return;
        }
        let old = std::mem::replace(&mut *current, sink);
        log::set_max_level(filter);
        drop(current);
        // Not under the lock: it calls into Node.
        drop(old);
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Ours alone: what the libraries below log is not known to be free of secrets.
        metadata.target() == "rdstoken" && metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let sink = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(sink) = sink else { return };
        let entry = Entry {
            level: level_name(record.level()),
            message: record.args().to_string(),
        };
        let status = sink.call(entry, ThreadsafeFunctionCallMode::NonBlocking);
        if status == Status::Closing {
            // Its thread has ended.
            self.replace(None, LevelFilter::Off, |current| {
                current.is_some_and(|current| Arc::ptr_eq(current, &sink))
            });
        }
    }

    fn flush(&self) {}
}

fn filter(level: u32) -> LevelFilter {
    match level {
        0 | 1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4.. => LevelFilter::Debug,
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug | Level::Trace => "debug",
    }
}
