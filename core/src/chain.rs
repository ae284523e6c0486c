//! Credentials and region from the environment, through aws-config.
//!
//! aws-config needs tokio, and a host process may fork, unload us, have tiny stacks or run tokio
//! itself. So each fetch lives on a helper thread of its own that ends with it, with a fresh
//! runtime and fresh providers; only plain data comes back.

use std::cell::Cell;
use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, http_client_fn};
use nix::sys::signal::{SigSet, Signal};

use crate::{Credentials, Error, ErrorKind, Region};

/// What a fetch is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Only this profile's credentials, instead of the default chain. As in the AWS CLI, naming a
    /// profile sets the environment's keys aside.
    pub(crate) profile: Option<String>,
    /// The caller's own credentials; then only the region is looked for.
    pub(crate) credentials: Option<Credentials>,
    /// The region that will be signed for, if it is known. Role assumption uses it where the
    /// environment and the profile name none.
    pub(crate) region: Option<Region>,
}

/// What a fetch brings back.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) credentials: Credentials,
    pub(crate) region: Region,
}

/// The default chain of the AWS SDKs, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Environment,
    Profile,
    WebIdentity,
    Container,
    InstanceMetadata,
}

const DEFAULT_CHAIN: &[Source] = &[
    Source::Environment,
    Source::Profile,
    Source::WebIdentity,
    Source::Container,
    Source::InstanceMetadata,
];

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment variables (AWS_ACCESS_KEY_ID)",
            Self::Profile => "shared config and credentials files (profile)",
            Self::WebIdentity => "web identity (AWS_WEB_IDENTITY_TOKEN_FILE)",
            Self::Container => "ECS or EKS container (AWS_CONTAINER_CREDENTIALS_*)",
            Self::InstanceMetadata => "EC2 instance metadata",
        })
    }
}

/// The helper's own stack, so that the caller's may be small.
const HELPER_STACK: usize = 1024 * 1024;

/// What the helper may take beyond the deadline to wind up before the caller stops waiting for it.
const GRACE: Duration = Duration::from_millis(100);

/// Fetches on a helper thread and waits for it, no longer than `timeout` and a little grace.
pub(crate) fn fetch(wanted: Wanted, timeout: Duration) -> Result<Found, Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let helper = thread::Builder::new()
        .name("rdstoken-fetch".to_owned())
        .stack_size(HELPER_STACK)
        .spawn(move || {
            // The SDK's sockets raise SIGPIPE where a C host has not ignored it.
            let blocked = SigSet::from(Signal::SIGPIPE).thread_block();
            let found = match blocked {
                Ok(()) => run(&wanted, timeout),
                Err(_) => Err(Error::new(ErrorKind::Internal, "could not block SIGPIPE")),
            };
            // The caller may have stopped waiting; then nobody needs the answer.
            drop(sender.send(found));
        })
        .map_err(|_| {
            Error::new(
                ErrorKind::CredentialsFailed,
                "could not start a thread to fetch credentials",
            )
        })?;
    match receiver.recv_timeout(timeout.saturating_add(GRACE)) {
        Ok(found) => {
            // It has nothing left to do; it ends before we return.
            drop(helper.join());
            found
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Error::new(
            ErrorKind::Internal,
            "the credential fetch ended without an answer",
        )),
        // A read of a file that never answers cannot be cancelled, only left behind.
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Error::new(
            ErrorKind::Timeout,
            format!(
                "no credentials within {}: a file or a name lookup does not answer",
                Seconds(timeout)
            ),
        )),
    }
}

fn run(wanted: &Wanted, timeout: Duration) -> Result<Found, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| {
            Error::new(
                ErrorKind::CredentialsFailed,
                "could not set up I/O to fetch credentials",
            )
        })?;
    let waiting_for = Cell::new(None);
    let found = runtime.block_on(async {
        // The timer belongs to the runtime, so it is made inside.
        tokio::time::timeout(timeout, find(wanted, &waiting_for)).await
    });
    // A name lookup under way cannot be cancelled, and must not hold the caller up.
    runtime.shutdown_background();
    found.unwrap_or_else(|_| {
        let place = match waiting_for.get() {
            Some(source) => format!("{source}"),
            None => "the shared config files".to_owned(),
        };
        Err(Error::new(
            ErrorKind::Timeout,
            format!(
                "no credentials within {}: still waiting for {place}",
                Seconds(timeout)
            ),
        ))
    })
}

async fn find(wanted: &Wanted, waiting_for: &Cell<Option<Source>>) -> Result<Found, Error> {
    let config = ProviderConfig::empty()
        .with_sleep_impl(TokioSleep::new())
        .with_http_client(http_client_fn(|settings, components| {
            // Made at the first request: it reads every root certificate of the machine.
            aws_smithy_http_client::Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https()
                .http_connector(settings, components)
        }));

    let region = region_of_environment(wanted, &config).await;
    let signing_region = match (&wanted.region, &region) {
        (Some(region), _) => region.clone(),
        (None, Some(name)) => Region::new(name)?,
        (None, None) => {
            return Err(Error::new(
                ErrorKind::RegionNotFound,
                "no region: the hostname names none, and neither does the environment \
                 (AWS_REGION, AWS_DEFAULT_REGION) or the profile; pass the region",
            ));
        }
    };
    if let Some(credentials) = &wanted.credentials {
        return Ok(Found {
            credentials: credentials.clone(),
            region: signing_region,
        });
    }

    let provider_region = region.unwrap_or_else(|| signing_region.to_string());
    let config = config.with_region(Some(aws_types::region::Region::new(provider_region)));
    let sources = match wanted.profile {
        Some(_) => &[Source::Profile],
        None => DEFAULT_CHAIN,
    };
    for source in sources {
        waiting_for.set(Some(*source));
        let provider = source.provider(wanted, &config);
        match provider.provide_credentials().await {
            Ok(loaded) => {
                return Ok(Found {
                    credentials: convert(*source, &loaded)?,
                    region: signing_region,
                });
            }
            Err(CredentialsError::CredentialsNotLoaded(_)) => {}
            Err(error) => return Err(failure(*source, &error)),
        }
    }
    Err(nothing_found(wanted, sources))
}

impl Source {
    fn provider(self, wanted: &Wanted, config: &ProviderConfig) -> Box<dyn ProvideCredentials> {
        match self {
            Self::Environment => Box::new(EnvironmentVariableCredentialsProvider::new()),
            Self::Profile => {
                let mut profile = ProfileFileCredentialsProvider::builder().configure(config);
                if let Some(name) = &wanted.profile {
                    profile = profile.profile_name(name);
                }
                Box::new(profile.build())
            }
            Self::WebIdentity => Box::new(
                WebIdentityTokenCredentialsProvider::builder()
                    .configure(config)
                    .build(),
            ),
            Self::Container => {
                Box::new(EcsCredentialsProvider::builder().configure(config).build())
            }
            Self::InstanceMetadata => {
                Box::new(ImdsCredentialsProvider::builder().configure(config).build())
            }
        }
    }
}

/// The environment's region, else the profile's. Instance metadata is not asked: it costs seconds
/// where there is none, and the database need not be in the instance's region.
async fn region_of_environment(wanted: &Wanted, config: &ProviderConfig) -> Option<String> {
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Some(region.to_string());
    }
    let mut profile = ProfileFileRegionProvider::builder().configure(config);
    if let Some(name) = &wanted.profile {
        profile = profile.profile_name(name);
    }
    profile
        .build()
        .region()
        .await
        .map(|region| region.to_string())
}

fn convert(
    source: Source,
    loaded: &aws_credential_types::Credentials,
) -> Result<Credentials, Error> {
    let credentials = Credentials::new(
        loaded.access_key_id(),
        loaded.secret_access_key(),
        loaded.session_token(),
    )
    .map_err(|error| {
        Error::new(
            ErrorKind::CredentialsFailed,
            format!("{source} gave unusable credentials: {error}"),
        )
    })?;
    Ok(match loaded.expiry() {
        Some(expires_at) => credentials.expiring_at(expires_at),
        None => credentials,
    })
}

/// By type, in our own words: the SDK's texts quote keys and session tokens.
fn failure(source: Source, error: &CredentialsError) -> Error {
    let (kind, happened) = match error {
        CredentialsError::ProviderTimedOut(_) => (ErrorKind::Timeout, "did not answer in time"),
        CredentialsError::InvalidConfiguration(_) => {
            (ErrorKind::CredentialsFailed, "is not set up correctly")
        }
        CredentialsError::ProviderError(_) => {
            (ErrorKind::CredentialsFailed, "could not give credentials")
        }
        _ => (
            ErrorKind::CredentialsFailed,
            "gave an answer that makes no sense",
        ),
    };
    Error::new(kind, format!("{source} {happened}"))
}

fn nothing_found(wanted: &Wanted, sources: &[Source]) -> Error {
    if wanted.profile.is_some() {
        return Error::new(
            ErrorKind::CredentialsNotFound,
            "no credentials: the profile is not in the shared config and credentials files, \
             or it has none",
        );
    }
    let tried: Vec<String> = sources.iter().map(ToString::to_string).collect();
    Error::new(
        ErrorKind::CredentialsNotFound,
        format!("no credentials found; tried: {}", tried.join(", ")),
    )
}

/// A duration for people: `5 s`, `0.25 s`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}
