//! The caller's JavaScript function as a source of credentials.

#![expect(
    clippy::needless_pass_by_value,
    reason = "napi hands functions over by value"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;

use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use rdstoken::{Credentials, CredentialsProvider, Error, ErrorKind, guard};

use crate::{CredentialsArgument, Failure};

type Answer = Result<Credentials, Error>;

/// The function that takes questions. It is weak, so that it keeps no process alive.
type Ask = ThreadsafeFunction<Question, (), Question, Status, false, true>;

/// A source of credentials in JavaScript. Signers that are given the same one share what it gives.
#[napi]
pub struct Provider(Arc<Asker>);

/// Core's side: asks on rdstoken's helper thread, is answered on JavaScript's.
struct Asker {
    ask: Ask,
    /// Milliseconds: the longest that any of the signers waits.
    patience: AtomicU64,
}

/// One wish for credentials. The first answer counts; one that comes too late is dropped.
#[napi]
pub struct Question(SyncSender<Answer>);

#[napi]
impl Question {
    /// Answers with credentials. Returns what is wrong with them, if anything is; then the question
    /// is still open.
    #[napi]
    #[must_use]
    pub fn give(&self, credentials: CredentialsArgument) -> Option<Failure> {
        match guard(move || credentials.convert()) {
            Ok(credentials) => {
                self.answer(Ok(credentials));
                None
            }
            Err(error) => Some(error.into()),
        }
    }

    /// Answers that there are none. `detail` must not hold a secret.
    #[napi]
    pub fn fail(&self, detail: String) {
        self.answer(Err(Error::new(ErrorKind::CredentialsFailed, detail)));
    }

    fn answer(&self, answer: Answer) {
        // Fails if there is one, or if nobody waits any more.
        drop(self.0.try_send(answer));
    }
}

/// Makes a [`Provider`] of a function that takes a [`Question`]. It is called on JavaScript's
/// thread, must not throw, and answers whenever it can.
#[napi]
pub fn new_provider(ask: Function<'_, Question, ()>) -> napi::Result<Provider> {
    Ok(Provider(Arc::new(Asker {
        ask: ask
            .build_threadsafe_function::<Question>()
            .weak::<true>()
            .build()?,
        patience: AtomicU64::new(0),
    })))
}

impl Provider {
    /// The source for one more signer, which waits so long.
    pub(crate) fn for_signer(&self, timeout: Duration) -> Arc<dyn CredentialsProvider> {
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.0.patience.fetch_max(milliseconds, Ordering::Relaxed);
        Arc::clone(&self.0) as Arc<dyn CredentialsProvider>
    }
}

impl CredentialsProvider for Asker {
    fn credentials(&self) -> Answer {
        let (sender, receiver) = mpsc::sync_channel(1);
        let question = Question(sender.clone());
        let status = self
            .ask
            .call(question, ThreadsafeFunctionCallMode::NonBlocking);
        if status != Status::Ok {
            return Err(Error::new(
                ErrorKind::CredentialsFailed,
                "the credentials function cannot be called: its thread is ending",
            ));
        }
        let patience = Duration::from_millis(self.patience.load(Ordering::Relaxed));
        let answer = receiver.recv_timeout(patience);
        // Kept until here: that JavaScript forgets the question is no answer.
        drop(sender);
        answer.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout,
                "no credentials in time: the credentials function has not answered",
            ))
        })
    }
}
