//! From core's log records to Python's `logging`.

use std::cell::RefCell;
use std::sync::OnceLock;

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::attach;
use crate::call::call;

/// The name of core's log target, and of Python's logger.
const NAME: &str = "rdstoken";

struct Bridge;

struct Message {
    level: u8,
    text: String,
}

/// What a thread has to say that signs or is detached from the interpreter.
struct Waiting {
    /// Whether the logger wanted them before. A text that nobody wants takes half as long as
    /// signing.
    debug: bool,
    messages: Vec<Message>,
}

thread_local! {
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

/// Sends core's records to Python's logger "rdstoken", from now on.
pub(crate) fn install() {
    // It fails if it was done already, and then there is nothing to do.
    if log::set_logger(&Bridge).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

impl Log for Bridge {
    /// Core's own records alone: those of the SDK's crates hold secrets.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == NAME
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = || Message {
            level: level(record.level()),
            text: record.args().to_string(),
        };
        let left = WAITING.try_with(|waiting| match &mut *waiting.borrow_mut() {
            Some(waiting) => {
                if waiting.debug || record.level() < Level::Debug {
                    waiting.messages.push(message());
                }
                None
            }
            None => Some(message()),
        });
        // A thread that `collected` does not know. After the interpreter's end, nobody is there to
        // read it.
        if let Ok(Some(message)) = left {
            attach::from_anywhere(|py| {
                if let Err(error) = deliver(py, &[message]) {
                    error.write_unraisable(py, None);
                }
            });
        }
    }

    fn flush(&self) {}
}

/// Python's number.
fn level(level: Level) -> u8 {
    match level {
        Level::Error => 40,
        Level::Warn => 30,
        Level::Info => 20,
        Level::Debug => 10,
        Level::Trace => 5,
    }
}

/// Runs `work` while other Python threads run; else as [`collected`].
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    collected(py, || py.detach(work))
}

/// Runs `work`. What it logs is delivered after it: a log handler is the program's own code, which
/// may wait for anything, even for a token.
///
/// Fails with what a handler raises to end the program, such as `KeyboardInterrupt`.
pub(crate) fn collected<T>(py: Python<'_>, work: impl FnOnce() -> T) -> PyResult<T> {
    let waiting = Waiting {
        debug: wants_debug(py)?,
        messages: Vec::new(),
    };
    WAITING.set(Some(waiting));
    let result = work();
    if let Some(waiting) = WAITING.take() {
        deliver(py, &waiting.messages)?;
    }
    Ok(result)
}

/// Whether Python's logger takes records of the level `DEBUG` now.
///
/// Fails with what a signal's handler raises meanwhile, such as `KeyboardInterrupt`.
fn wants_debug(py: Python<'_>) -> PyResult<bool> {
    /// The logger's `isEnabledFor`, and its arguments. `logging` keeps the logger for ever.
    static ASK: OnceLock<(Py<PyAny>, Py<PyTuple>)> = OnceLock::new();

    let answer = || {
        let (method, arguments) = match ASK.get() {
            Some(ask) => ask,
            None => match question(py)? {
                // At once, with the GIL held: a fork does not find it half set.
                Some(ask) => ASK.get_or_init(|| ask),
                None => return Ok(false),
            },
        };
        call(method.bind(py), arguments.bind(py))?.is_truthy()
    };
    match answer() {
        // `deliver` meets what is wrong with it.
        Err(error) if error.is_instance_of::<PyException>(py) => Ok(true),
        answer => answer,
    }
}

/// `None` if the program has not loaded `logging`, which takes longer than rdstoken and a hundred
/// tokens: then nobody listens.
fn question(py: Python<'_>) -> PyResult<Option<(Py<PyAny>, Py<PyTuple>)>> {
    // SAFETY: the thread is attached.
    let modules = unsafe { ffi::PyImport_GetModuleDict() };
    // SAFETY: it is a reference of the interpreter's, which lives as long.
    let modules = unsafe { Bound::from_borrowed_ptr(py, modules) };
    let Some(logging) = modules.cast::<PyDict>()?.get_item("logging")? else {
        return Ok(None);
    };
    let method = logging
        .call_method1("getLogger", (NAME,))?
        .getattr("isEnabledFor")?;
    let arguments = (level(Level::Debug),).into_pyobject(py)?;
    Ok(Some((method.unbind(), arguments.unbind())))
}

fn deliver(py: Python<'_>, messages: &[Message]) -> PyResult<()> {
    if messages.is_empty() {
        return Ok(());
    }
    // Looked up each time: a cell that another thread is filling hangs a forked child. It fails
    // while Python shuts down.
    let Ok(log) = py
        .import("logging")
        .and_then(|logging| logging.call_method1("getLogger", (NAME,)))
        .and_then(|logger| logger.getattr("log"))
    else {
        return Ok(());
    };
    for message in messages {
        let arguments = (message.level, &message.text).into_pyobject(py)?;
        match call(&log, &arguments) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                // A filter's fault, for one, is no reason to refuse the token.
                error.write_unraisable(py, Some(&log));
            }
            outcome => drop(outcome?),
        }
    }
    Ok(())
}
