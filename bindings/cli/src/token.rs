//! `rdstoken token`

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use rdstoken::{AuthToken, Clock, Now, Signer};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::login::Login;
use crate::{Failure, print};

/// Print a token: the password for one login.
///
/// The token is valid for 15 minutes, or until the credentials expire if that is sooner. Send it
/// whole, as the password, over TLS. A connection that is open when it expires stays open.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Token {
    #[command(flatten)]
    login: Login,

    /// Sign as of this time instead of now, for example 2026-01-31T12:00:00Z
    #[arg(long, value_name = "RFC3339", value_parser = rfc3339)]
    signing_time: Option<SystemTime>,

    /// Print {"token": "...", "expires_at": "..."} instead of the token alone
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  Log in with psql:
    export PGPASSWORD=\"$(rdstoken token --hostname \"$H\" --port 5432 --username app)\"
    export PGSSLMODE=verify-full PGGSSENCMODE=disable PGSSLROOTCERT=global-bundle.pem
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
        let mut options = self.login.options();
        if let Some(signing_time) = self.signing_time {
            options.clock = Arc::new(Fixed(signing_time));
        }
        let token = Signer::new(options)
            .and_then(|signer| signer.token())
            .map_err(Failure::Token)?;
        let line = if self.json {
            as_json(&token)
        } else {
            token.value().to_owned()
        };
        print(output, &line)
    }
}

fn as_json(token: &AuthToken) -> String {
    let expires_at = expires_at(token);
    serde_json::to_string(&Answer {
        token: token.value(),
        expires_at,
    })
    .expect("two texts always become JSON")
}

/// When the token stops working, as RFC 3339 writes it.
pub(crate) fn expires_at(token: &AuthToken) -> String {
    OffsetDateTime::from(token.expires_at())
        .truncate_to_second()
        .format(&Rfc3339)
        .expect("core keeps a token's expiry within the years of RFC 3339")
}

fn rfc3339(text: &str) -> Result<SystemTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|_| "expected a time such as 2026-01-31T12:00:00Z".to_owned())
}
