//! IAM authentication tokens for Aurora and RDS.
//!
//! Aurora and RDS let a client log in with an *authentication token* in place of a password: a
//! SigV4-presigned `connect` URL without its scheme, signed for the service `rds-db`, valid for
//! at most 15 minutes and sent as the password over TLS
//! ([AWS: IAM database authentication](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html)).
//!
//! This crate makes that token; the C library and the Python, Node and shell faces of rdstoken
//! only convert its types. It also checks tokens ([`Verifier`]), so that a database on a
//! developer's machine can ask for them as Aurora does.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use rdstoken::{Credentials, PresignRequest, presign};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)?;
//! let token = presign(&PresignRequest {
//!     hostname: "mydb.cluster-abc123.us-east-1.rds.amazonaws.com",
//!     port: 5432,
//!     username: "app",
//!     region: None, // it is in the hostname
//!     credentials: &credentials,
//!     signing_time: UNIX_EPOCH + Duration::from_secs(1_767_225_600),
//!     expires_in: rdstoken::MAX_EXPIRES_IN,
//! })?;
//! assert!(token.value().starts_with(
//!     "mydb.cluster-abc123.us-east-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app&"));
//! # Ok::<(), rdstoken::Error>(())
//! ```
//!
//! To log in, most programs want a [`Signer`]: it finds the credentials and the region by itself.

mod amz_date;
mod chain;
mod clock;
mod credential_process;
mod credentials;
mod driver;
mod endpoint;
mod error;
mod login;
mod presign;
mod process;
mod signer;
mod source;
mod throttle;
mod token;
mod uri;
mod verify;

pub use clock::{Clock, Now, SystemClock};
pub use credentials::{Credentials, CredentialsProvider};
pub use driver::{
    Beyond, ConnectionOptions, ConnectionString, DRIVERS, DriverForm, OnLimit, check_length,
    connection_string,
};
pub use endpoint::{Endpoint, Region};
pub use error::{Error, ErrorKind, guard};
pub use login::Login;
pub use presign::{MAX_EXPIRES_IN, PresignRequest, SigningKey, presign};
pub use signer::{
    DEFAULT_ADVISORY_WINDOW, DEFAULT_MANDATORY_WINDOW, DEFAULT_MIN_VALIDITY,
    DEFAULT_ROLE_SESSION_NAME, DEFAULT_TIMEOUT, Signer, SignerOptions, Stats,
};
pub use throttle::{AURORA_TOKENS_PER_SECOND, Throttle};
pub use token::AuthToken;
pub use verify::{MAX_CLOCK_SKEW, Refusal, Verifier};

/// The version of rdstoken, for example `"0.1.0"`. Every face reports this same text.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
