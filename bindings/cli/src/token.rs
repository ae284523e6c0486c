//! `rdstoken token`

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use rdstoken::{AuthToken, Clock, Now, Signer, SignerOptions};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Failure;

/// Print a token: the password for one login.
///
/// The token is valid for 15 minutes, or until the credentials expire if that is sooner. Send it
/// whole, as the password, over TLS. A connection that is open when it expires stays open.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Token {
    /// The database's endpoint name, as RDS gives it: not an IP address, not your own alias for
    /// it, no scheme
    #[arg(long)]
    hostname: String,

    /// The database's port; it is part of what is signed
    #[arg(long)]
    port: u16,

    /// The database user to log in as
    #[arg(long)]
    username: String,

    /// The endpoint's region [default: the one in the hostname, else AWS_REGION or
    /// AWS_DEFAULT_REGION, else the profile's]
    #[arg(long)]
    region: Option<String>,

    /// Take the credentials from this profile, and from nowhere else [default: the AWS SDKs'
    /// chain: environment, AWS_PROFILE or "default", web identity, container, EC2 instance]
    #[arg(long)]
    profile: Option<String>,

    /// Assume this role, named by its ARN, with the credentials found
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,

    /// The name of the assumed role's session [default: rdstoken]
    #[arg(long, value_name = "NAME")]
    role_session_name: Option<String>,

    /// The external id that the role's trust policy asks for
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,

    /// How long the token is valid, 1 to 900 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = rdstoken::MAX_EXPIRES_IN.as_secs())]
    expires_in: u64,

    /// Sign as of the last multiple of this, at most 600 seconds, so that all who hold the same
    /// credentials make the same token, which Aurora does not throttle
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    align: u64,

    /// How long to wait for credentials, in seconds, fractions allowed
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,

    /// Sign as of this time instead of now, for example 2026-01-31T12:00:00Z
    #[arg(long, value_name = "RFC3339", value_parser = rfc3339)]
    signing_time: Option<SystemTime>,

    /// Do not warn if the hostname is none of RDS's own
    #[arg(long)]
    no_hostname_warning: bool,

    /// Print {"token": "...", "expires_at": "..."} instead of the token alone
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  Log in with psql:
    export PGPASSWORD=\"$(rdstoken token --hostname \"$H\" --port 5432 --username app)\"
    export PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem
    psql --host=\"$H\" --port=5432 --username=app postgres

  Log in with the mariadb command (a prompt would cut the token):
    export MYSQL_PWD=\"$(rdstoken token --hostname \"$H\" --port 3306 --username app)\"
    mariadb --host=\"$H\" --user=app --ssl-ca=global-bundle.pem --ssl-verify-server-cert

The database user must be one that logs in with IAM (PostgreSQL: GRANT rds_iam TO app; MySQL:
IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'), and the AWS identity needs rds-db:connect.";

/// A clock that stands still, for `--signing-time`.
struct Fixed(SystemTime);

impl Clock for Fixed {
    fn now(&self) -> Now {
        Now {
            wall: self.0,
            boot: Duration::ZERO,
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    token: &'a str,
    expires_at: String,
}

impl Token {
    pub(crate) fn run(self, output: &mut impl Write) -> Result<(), Failure> {
        let json = self.json;
        let signer = Signer::new(self.into_options()).map_err(Failure::Token)?;
        let token = signer.token().map_err(Failure::Token)?;
        let line = if json {
            as_json(&token)
        } else {
            token.value().to_owned()
        };
        writeln!(output, "{line}")
            .and_then(|()| output.flush())
            .map_err(Failure::Output)
    }

    fn into_options(self) -> SignerOptions {
        let mut options = SignerOptions::new(&self.hostname, self.port, &self.username);
        options.region = self.region;
        options.profile = self.profile;
        options.expires_in = Duration::from_secs(self.expires_in);
        options.timeout = self.timeout;
        options.role_arn = self.role_arn;
        options.role_session_name = self.role_session_name;
        options.external_id = self.external_id;
        options.align = Duration::from_secs(self.align);
        options.warn_hostname = !self.no_hostname_warning;
        // It is used right away, by one login.
        options.cache = false;
        if let Some(signing_time) = self.signing_time {
            options.clock = Arc::new(Fixed(signing_time));
        }
        options
    }
}

fn as_json(token: &AuthToken) -> String {
    let expires_at = OffsetDateTime::from(token.expires_at())
        .truncate_to_second()
        .format(&Rfc3339)
        .expect("core keeps a token's expiry within the years of RFC 3339");
    serde_json::to_string(&Answer {
        token: token.value(),
        expires_at,
    })
    .expect("two texts always become JSON")
}

fn rfc3339(text: &str) -> Result<SystemTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|_| "expected a time such as 2026-01-31T12:00:00Z".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds".to_owned())
}
