//! Credentials of the caller's own: from a function, or from a botocore credentials object.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pyo3::prelude::*;
use pyo3::types::PyType;
use rdstoken::{CredentialsProvider, Error, ErrorKind};

use crate::attach;
use crate::call::call;
use crate::convert::wrong_type;
use crate::credentials::Credentials;
use crate::error::exception;

/// A Python object to ask for credentials.
pub(crate) struct Provider {
    /// `None` only while it is dropped.
    source: Option<Py<PyAny>>,
}

/// What botocore calls access key, secret key and token; and the expiry in Unix seconds.
type Keys<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Option<Bound<'py, PyAny>>,
);

/// From `rdstoken._provider.identity`.
type Identity = (usize, usize);

impl Provider {
    /// The provider for `source`: the one that other signers have already for the same object, so
    /// that they share the credentials.
    pub(crate) fn shared(source: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        // Neither waited for nor held without the GIL, so a fork does not find it locked. A
        // provider holds its object, whose identity is not another's as long as it is there.
        static PROVIDERS: Mutex<Option<HashMap<Identity, Weak<Provider>>>> = Mutex::new(None);

        check(source)?;
        let identity: Identity = source
            .py()
            .import("rdstoken._provider")?
            .call_method1("identity", (source,))?
            .extract()?;
        let mut providers = PROVIDERS.lock().unwrap_or_else(PoisonError::into_inner);
        let providers = providers.get_or_insert_default();
        if let Some(provider) = providers.get(&identity).and_then(Weak::upgrade) {
            return Ok(provider);
        }
        providers.retain(|_, provider| provider.strong_count() > 0);
        let provider = Arc::new(Self {
            source: Some(source.clone().unbind()),
        });
        providers.insert(identity, Arc::downgrade(&provider));
        Ok(provider)
    }
}

/// Whether `source` can be asked at all.
fn check(source: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = source.py();
    let botocores = source.hasattr("get_frozen_credentials")?;
    // A class can be called too, but is most likely a slip for one of its objects.
    if source.is_instance_of::<PyType>() || !(botocores || source.is_callable()) {
        return Err(wrong_type(
            "credentials",
            "Credentials, a function or a botocore credentials object",
            source.as_borrowed(),
        ));
    }
    let asynchronous: bool = py
        .import("rdstoken._provider")?
        .call_method1("is_asynchronous", (source,))?
        .extract()?;
    if asynchronous {
        let error = Error::invalid(
            "credentials",
            "expected a function that returns credentials, not a coroutine: \
             it is called on a thread without an event loop",
        );
        return Err(exception(py, &error));
    }
    Ok(())
}

impl CredentialsProvider for Provider {
    fn credentials(&self) -> Result<rdstoken::Credentials, Error> {
        let source = self.source.as_ref().ok_or_else(shutting_down)?;
        attach::from_outside(|py| ask(source.bind(py))).unwrap_or_else(|| Err(shutting_down()))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let Some(source) = self.source.take() else {
            return;
        };
        // The last signer may go on a thread that is not attached. pyo3 would keep the reference
        // for later, behind a lock that a fork could find held.
        let mut source = Some(source);
        attach::from_anywhere(|py| drop(source.take().map(|source| source.into_bound(py))));
        // The interpreter is gone, and the object with it.
        std::mem::forget(source);
    }
}

/// The texts of foreign exceptions stay out: they may hold secrets.
fn ask(source: &Bound<'_, PyAny>) -> Result<rdstoken::Credentials, Error> {
    let py = source.py();
    let raised = |error: PyErr| failed(&format!("raised {}", class(error.value(py).as_any())));
    let read = py
        .import("rdstoken._provider")
        .and_then(|module| module.getattr("read"))
        .map_err(raised)?;
    let arguments = (source,).into_pyobject(py).map_err(raised)?;
    let answer = call(&read, &arguments).map_err(raised)?;
    let (given, keys): (Bound<'_, PyAny>, Option<Keys<'_>>) = answer.extract().map_err(raised)?;
    let Some((access_key, secret_key, token, expires_at)) = keys else {
        return match given.cast::<Credentials>() {
            Ok(credentials) => Ok(credentials.get().inner().clone()),
            Err(_) => Err(failed(&format!(
                "gave an object of the class {}, expected credentials",
                class(&given)
            ))),
        };
    };
    match Credentials::new(
        &access_key,
        &secret_key,
        token.as_ref(),
        expires_at.as_ref(),
    ) {
        Ok(credentials) => Ok(credentials.inner().clone()),
        // This text is rdstoken's own, and names no value.
        Err(error) => Err(failed(&format!(
            "gave unusable credentials: {}",
            error.value(py)
        ))),
    }
}

fn failed(how: &str) -> Error {
    let text = format!("what was passed as credentials {how}");
    Error::new(ErrorKind::CredentialsFailed, text)
}

fn shutting_down() -> Error {
    failed("was not asked: the Python interpreter is shutting down")
}

fn class(object: &Bound<'_, PyAny>) -> String {
    match object.get_type().name() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
