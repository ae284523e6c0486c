//! Credentials and region from the environment, through aws-config.
//!
//! aws-config needs tokio, and a host process may fork, unload us, have tiny stacks or run tokio
//! itself. So each fetch lives on a helper thread of its own that ends with it, with a fresh
//! runtime and fresh providers; only plain data comes back.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::os_shim_internal::{Env, Fs};
use http_body_util::Limited;
use nix::sys::signal::{SigSet, Signal};
use tokio::time::Instant;

use crate::credential_process::{self, CredentialProcess};
use crate::process;
use crate::{Credentials, CredentialsProvider, Error, ErrorKind, Region};

/// Where credentials come from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) base: Base,
    /// A role to assume with the base's credentials.
    pub(crate) role: Option<Role>,
}

#[derive(Clone)]
pub(crate) enum Base {
    /// The SDKs' default chain; or this profile alone. As in the AWS CLI, naming a profile sets
    /// the environment's keys aside.
    Chain(Option<String>),
    Given(Credentials),
    Provider(Arc<dyn CredentialsProvider>),
}

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: String,
    pub(crate) external_id: Option<String>,
}

impl Origin {
    pub(crate) fn given(credentials: Credentials) -> Self {
        Self {
            base: Base::Given(credentials),
            role: None,
        }
    }

    /// A name under which signers can share it.
    pub(crate) fn key(&self) -> Option<String> {
        let base = match &self.base {
            Base::Chain(profile) => format!("profile {profile:?}"),
            // Whoever has the key's source has the provider, so the address is not another's.
            Base::Provider(provider) => format!("provider {:p}", Arc::as_ptr(provider)),
            Base::Given(_) => return None,
        };
        Some(format!("{base} {:?}", self.role))
    }
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

/// The role that the caller names, on top of any of the sources.
const ASSUME_ROLE: &str = "STS (AssumeRole)";

const DEFAULT_CHAIN: &[Source] = &[
    Source::Environment,
    Source::Profile,
    Source::WebIdentity,
    Source::Container,
    Source::InstanceMetadata,
];

impl Source {
    /// For messages.
    fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment variables (AWS_ACCESS_KEY_ID)",
            Self::Profile => "shared config and credentials files (profile)",
            Self::WebIdentity => "web identity (AWS_WEB_IDENTITY_TOKEN_FILE)",
            Self::Container => "ECS or EKS container (AWS_CONTAINER_CREDENTIALS_*)",
            Self::InstanceMetadata => "EC2 instance metadata",
        }
    }
}

/// The helper's own stack, so that the caller's may be small.
const HELPER_STACK: usize = 1024 * 1024;

/// What the helper may take beyond the deadline to wind up before the caller stops waiting for it.
const GRACE: Duration = Duration::from_millis(100);

/// Fetches credentials. `region` is the one that will be signed for; roles are assumed in it where
/// the environment and the profile name none.
pub(crate) fn fetch(
    origin: &Origin,
    region: Option<&Region>,
    timeout: Duration,
) -> Result<Credentials, Error> {
    if let (Base::Given(credentials), None) = (&origin.base, &origin.role) {
        return Ok(credentials.clone());
    }
    let origin = origin.clone();
    let region = region.map(ToString::to_string);
    on_helper(timeout, move || {
        // The caller's own code is not asynchronous, so it runs before the runtime exists.
        let at_hand = match &origin.base {
            Base::Chain(_) => None,
            Base::Given(credentials) => Some(credentials.clone()),
            Base::Provider(provider) => Some(provider.credentials()?),
        };
        match at_hand {
            Some(credentials) if origin.role.is_none() => Ok(credentials),
            at_hand => run(timeout, async |progress| {
                find_credentials(&origin, at_hand, region, progress).await
            }),
        }
    })
}

/// The region of the environment, else of the profile.
pub(crate) fn region(profile: Option<&str>, timeout: Duration) -> Result<Region, Error> {
    let profile = profile.map(str::to_owned);
    on_helper(timeout, move || {
        run(timeout, async |_| {
            let name = region_of_environment(profile.as_deref(), &config()).await;
            Region::new(&name.ok_or_else(|| {
                Error::new(
                    ErrorKind::RegionNotFound,
                    "no region: the hostname names none, and neither does the environment \
                     (AWS_REGION, AWS_DEFAULT_REGION) or the profile; pass the region",
                )
            })?)
        })
    })
}

/// Runs `work` on a helper thread and waits for it, no longer than `timeout` and a little grace.
fn on_helper<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let is_forked = process::is_forked();
    let (sender, receiver) = mpsc::sync_channel(1);
    let helper = thread::Builder::new()
        .name("rdstoken-fetch".to_owned())
        .stack_size(HELPER_STACK)
        .spawn(move || {
            // The SDK's sockets raise SIGPIPE where a C host has not ignored it.
            let blocked = SigSet::from(Signal::SIGPIPE).thread_block();
            let found = match blocked {
                Ok(()) => work(),
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
            // It has nothing left to do; it ends before we return. Not in a forked child: what the
            // standard library locks when a thread ends may have been locked at the fork, for ever.
            if !is_forked {
                drop(helper.join());
            }
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
                "no credentials within {}: a file, a name lookup or the caller's own provider \
                 does not answer",
                Seconds(timeout)
            ),
        )),
    }
}

/// How far the work under way has come, and until when it may go on.
struct Progress {
    waiting_for: Cell<Option<&'static str>>,
    deadline: Instant,
}

impl Progress {
    /// To be said at the deadline.
    fn set(&self, source: &'static str) {
        self.waiting_for.set(Some(source));
    }
}

/// Runs asynchronous work to its end or the deadline, on a runtime of its own.
fn run<T>(
    timeout: Duration,
    work: impl AsyncFnOnce(&Progress) -> Result<T, Error>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| {
            Error::new(
                ErrorKind::CredentialsFailed,
                "could not set up I/O to fetch credentials",
            )
        })?;
    let progress = Progress {
        waiting_for: Cell::new(None),
        deadline: Instant::now() + timeout,
    };
    let found = runtime.block_on(async {
        // The timer belongs to the runtime, so it is made inside.
        tokio::time::timeout_at(progress.deadline, work(&progress)).await
    });
    // A name lookup under way cannot be cancelled, and must not hold the caller up.
    runtime.shutdown_background();
    found.unwrap_or_else(|_| {
        let place = progress
            .waiting_for
            .get()
            .unwrap_or("the shared config files");
        Err(Error::new(
            ErrorKind::Timeout,
            format!(
                "no credentials within {}: still waiting for {place}",
                Seconds(timeout)
            ),
        ))
    })
}

fn config() -> ProviderConfig {
    ProviderConfig::empty()
        .with_sleep_impl(TokioSleep::new())
        .with_http_client(http_client())
}

fn http_client() -> SharedHttpClient {
    http_client_fn(|settings, components| {
        // Made at the first request: it reads every root certificate of the machine.
        let connector = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https()
            .http_connector(settings, components);
        SharedHttpConnector::new(Bounded(connector))
    })
}

/// Refuses answers of a length that no source of credentials has: the SDK reads any length into
/// memory.
#[derive(Debug)]
struct Bounded(SharedHttpConnector);

const MAX_ANSWER: usize = 1024 * 1024;

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let bounded = |body| SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER));
            Ok(answer.await?.map(bounded))
        })
    }
}

async fn find_credentials(
    origin: &Origin,
    at_hand: Option<Credentials>,
    signing_region: Option<String>,
    progress: &Progress,
) -> Result<Credentials, Error> {
    let profile = match &origin.base {
        Base::Chain(profile) => profile.as_deref(),
        Base::Given(_) | Base::Provider(_) => None,
    };
    let config = config();
    let region = region_of_environment(profile, &config)
        .await
        .or(signing_region);
    let config = config.with_region(region.clone().map(aws_types::region::Region::new));
    let base = match at_hand {
        Some(credentials) => credentials,
        None => walk(profile, &config, region.as_deref(), progress).await?,
    };
    match &origin.role {
        Some(role) => assume(role, base, region.as_deref(), progress).await,
        None => Ok(base),
    }
}

/// The first source that has credentials.
async fn walk(
    profile: Option<&str>,
    config: &ProviderConfig,
    region: Option<&str>,
    progress: &Progress,
) -> Result<Credentials, Error> {
    let sources = match profile {
        Some(_) => &[Source::Profile],
        None => DEFAULT_CHAIN,
    };
    for source in sources {
        progress.set(source.name());
        if *source == Source::Profile
            && let Some(credentials) = run_process(profile, region, progress).await?
        {
            return Ok(credentials);
        }
        let provider = source.provider(profile, config);
        match provider.provide_credentials().await {
            Ok(loaded) => return convert(source.name(), &loaded),
            Err(CredentialsError::CredentialsNotLoaded(_)) => {}
            Err(error) => return Err(failure(source.name(), &error)),
        }
    }
    Err(nothing_found(profile, sources))
}

/// The credentials of a profile that has a `credential_process` for them.
async fn run_process(
    profile: Option<&str>,
    region: Option<&str>,
    progress: &Progress,
) -> Result<Option<Credentials>, Error> {
    let profiles = aws_config::profile::load(
        &Fs::real(),
        &Env::real(),
        &EnvConfigFiles::default(),
        profile.map(|name| Cow::Owned(name.to_owned())),
    )
    .await;
    // aws-config reads them again, and says what is wrong with them.
    let Some(process) = profiles.ok().as_ref().and_then(CredentialProcess::of) else {
        return Ok(None);
    };
    progress.set(credential_process::NAME);
    let mut credentials = match process.run(progress.deadline) {
        Ok(credentials) => credentials,
        // The deadline has passed, and who has set it ends this.
        Err(credential_process::Failure::Late) => std::future::pending().await,
        Err(credential_process::Failure::Failed) => {
            return Err(Error::new(
                ErrorKind::CredentialsFailed,
                format!("{} could not give credentials", credential_process::NAME),
            ));
        }
    };
    for role in &process.roles {
        credentials = assume(role, credentials, region, progress).await?;
    }
    Ok(Some(credentials))
}

async fn assume(
    role: &Role,
    base: Credentials,
    region: Option<&str>,
    progress: &Progress,
) -> Result<Credentials, Error> {
    progress.set(ASSUME_ROLE);
    // Loaded, not built by hand, so that AWS_ENDPOINT_URL_STS and its like are honoured.
    let mut settings = aws_config::defaults(BehaviorVersion::latest())
        .sleep_impl(TokioSleep::new())
        .http_client(http_client())
        .no_credentials();
    if let Some(region) = region {
        settings = settings.region(aws_types::region::Region::new(region.to_owned()));
    }
    let mut builder = AssumeRoleProvider::builder(&role.arn)
        .session_name(&role.session_name)
        .configure(&settings.load().await);
    if let Some(external_id) = &role.external_id {
        builder = builder.external_id(external_id);
    }
    let base = aws_credential_types::Credentials::new(
        base.access_key_id(),
        base.secret_access_key(),
        base.session_token().map(|token| token.to_string()),
        base.expires_at(),
        "rdstoken",
    );
    match builder
        .build_from_provider(base)
        .await
        .provide_credentials()
        .await
    {
        Ok(loaded) => convert(ASSUME_ROLE, &loaded),
        Err(error) => Err(failure(ASSUME_ROLE, &error)),
    }
}

impl Source {
    fn provider(
        self,
        profile: Option<&str>,
        config: &ProviderConfig,
    ) -> Box<dyn ProvideCredentials> {
        match self {
            Self::Environment => Box::new(EnvironmentVariableCredentialsProvider::new()),
            Self::Profile => {
                let mut builder = ProfileFileCredentialsProvider::builder().configure(config);
                if let Some(name) = profile {
                    builder = builder.profile_name(name);
                }
                Box::new(builder.build())
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
                // The SDK prolongs credentials that have expired by now. Expired ones must look so.
                let config = config
                    .clone()
                    .with_time_source(StaticTimeSource::new(UNIX_EPOCH));
                Box::new(
                    ImdsCredentialsProvider::builder()
                        .configure(&config)
                        .build(),
                )
            }
        }
    }
}

/// The environment's region, else the profile's. Instance metadata is not asked: it costs seconds
/// where there is none, and the database need not be in the instance's region.
async fn region_of_environment(profile: Option<&str>, config: &ProviderConfig) -> Option<String> {
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Some(region.to_string());
    }
    let mut builder = ProfileFileRegionProvider::builder().configure(config);
    if let Some(name) = profile {
        builder = builder.profile_name(name);
    }
    builder
        .build()
        .region()
        .await
        .map(|region| region.to_string())
}

fn convert(source: &str, loaded: &aws_credential_types::Credentials) -> Result<Credentials, Error> {
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
        // What the SDK makes of an answer that was cut before its expiry.
        Some(UNIX_EPOCH) => {
            return Err(Error::new(
                ErrorKind::CredentialsFailed,
                format!("{source} gave an answer that makes no sense"),
            ));
        }
        Some(expires_at) => credentials.expiring_at(expires_at),
        None => credentials,
    })
}

/// By type, in our own words: the SDK's texts quote keys and session tokens.
fn failure(source: &str, error: &CredentialsError) -> Error {
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

fn nothing_found(profile: Option<&str>, sources: &[Source]) -> Error {
    if profile.is_some() {
        return Error::new(
            ErrorKind::CredentialsNotFound,
            "no credentials: the profile is not in the shared config and credentials files, \
             or it has none",
        );
    }
    let tried: Vec<&str> = sources.iter().map(|source| source.name()).collect();
    Error::new(
        ErrorKind::CredentialsNotFound,
        format!("no credentials found; tried: {}", tried.join(", ")),
    )
}

/// A duration for people: `5 s`, `0.25 s`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is left of a deadline is a crooked number.
        write!(f, "{} s", (self.0.as_secs_f64() * 100.0).round() / 100.0)
    }
}
