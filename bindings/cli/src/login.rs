//! The options that say whom a token lets in where, and who signs: the same for every subcommand.

use std::time::Duration;

use clap::Args;
use rdstoken::{Signer, SignerOptions};

use crate::Failure;

/// What is seldom needed stands apart, below the options of each subcommand.
const SIGNING: &str = "Credentials and signing";

#[derive(Args)]
pub(crate) struct Login {
    /// The database's endpoint name, as RDS gives it: not an IP address, not your own alias for
    /// it, no scheme
    #[arg(long)]
    pub(crate) hostname: String,

    /// The database's port; it is part of what is signed
    #[arg(long)]
    pub(crate) port: u16,

    /// The database user to log in as
    #[arg(long)]
    pub(crate) username: String,

    /// The endpoint's region [default: the one in the hostname, else AWS_REGION or
    /// AWS_DEFAULT_REGION, else the profile's]
    #[arg(long, help_heading = SIGNING)]
    region: Option<String>,

    /// Take the credentials from this profile, and from nowhere else [default: the AWS SDKs'
    /// chain: environment, AWS_PROFILE or "default", web identity, container, EC2 instance]
    #[arg(long, help_heading = SIGNING)]
    profile: Option<String>,

    /// Assume this role, named by its ARN, with the credentials found
    #[arg(long, help_heading = SIGNING, value_name = "ARN")]
    role_arn: Option<String>,

    /// The name of the assumed role's session [default: rdstoken]
    #[arg(long, help_heading = SIGNING, value_name = "NAME")]
    role_session_name: Option<String>,

    /// The external id that the role's trust policy asks for
    #[arg(long, help_heading = SIGNING, value_name = "ID")]
    external_id: Option<String>,

    /// How long the token is valid, 1 to 900 seconds
    #[arg(long, help_heading = SIGNING, value_name = "SECONDS", default_value_t = rdstoken::MAX_EXPIRES_IN.as_secs())]
    expires_in: u64,

    /// Sign as of the last multiple of this, at most 600 seconds, so that all who hold the same
    /// credentials make the same token, which Aurora does not throttle
    #[arg(long, help_heading = SIGNING, value_name = "SECONDS", default_value_t = 0)]
    align: u64,

    /// How long to wait for credentials, in seconds, fractions allowed
    #[arg(long, help_heading = SIGNING, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,

    /// Do not warn if the hostname is none of RDS's own
    #[arg(long, help_heading = SIGNING)]
    no_hostname_warning: bool,
}

impl Login {
    /// The options of a signer that is used for one login, right away.
    pub(crate) fn options(&self) -> SignerOptions {
        let mut options = SignerOptions::new(&self.hostname, self.port, &self.username);
        options.region.clone_from(&self.region);
        options.profile.clone_from(&self.profile);
        options.expires_in = Duration::from_secs(self.expires_in);
        options.timeout = self.timeout;
        options.role_arn.clone_from(&self.role_arn);
        options
            .role_session_name
            .clone_from(&self.role_session_name);
        options.external_id.clone_from(&self.external_id);
        options.align = Duration::from_secs(self.align);
        options.warn_hostname = !self.no_hostname_warning;
        options.cache = false;
        options
    }

    pub(crate) fn signer(&self) -> Result<Signer, Failure> {
        Signer::new(self.options()).map_err(Failure::Token)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds".to_owned())
}
