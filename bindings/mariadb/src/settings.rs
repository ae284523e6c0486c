//! What the environment says beside the connection itself.

use std::env;
use std::ffi::{CStr, OsString, c_uint};
use std::time::Duration;

use rdstoken::{Error, SignerOptions};

/// All that a signer depends on, as text: two connections with equal settings share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    hostname: String,
    port: u16,
    username: String,
    region: Option<String>,
    profile: Option<String>,
    role_arn: Option<String>,
    role_session_name: Option<String>,
    external_id: Option<String>,
    expires_in: Option<Duration>,
    align: Option<Duration>,
    timeout: Option<Duration>,
}

/// Which connections a token may travel on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsPolicy {
    /// TLS, and the server has proved who it is.
    Verify,
    /// TLS.
    Require,
}

/// A reader of variables; those of the process, but for tests.
type Get<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The process's variables.
pub(crate) fn environment(name: &str) -> Option<OsString> {
    env::var_os(name)
}

impl TlsPolicy {
    pub(crate) fn read(get: Get<'_>) -> Result<Self, Error> {
        match variable(get, "RDSTOKEN_TLS")?.as_deref() {
            None | Some("verify") => Ok(Self::Verify),
            Some("require") => Ok(Self::Require),
            Some(_) => Err(Error::invalid("RDSTOKEN_TLS", "expected verify or require")),
        }
    }
}

impl Settings {
    /// What the variables do not say is the connection's.
    pub(crate) fn read(
        get: Get<'_>,
        host: &CStr,
        port: c_uint,
        user: &CStr,
    ) -> Result<Self, Error> {
        let hostname = match variable(get, "RDSTOKEN_HOSTNAME")? {
            Some(hostname) => hostname,
            None => host.to_string_lossy().into_owned(),
        };
        let port = match variable(get, "RDSTOKEN_PORT")? {
            Some(port) => port.parse().ok().filter(|port| *port != 0),
            None => port.try_into().ok(),
        };
        Ok(Self {
            hostname,
            port: port.ok_or_else(|| Error::invalid("RDSTOKEN_PORT", "expected 1 to 65535"))?,
            username: user
                .to_str()
                .map_err(|_| Error::invalid("username", "expected UTF-8"))?
                .to_owned(),
            region: variable(get, "RDSTOKEN_REGION")?,
            profile: variable(get, "RDSTOKEN_PROFILE")?,
            role_arn: variable(get, "RDSTOKEN_ROLE_ARN")?,
            role_session_name: variable(get, "RDSTOKEN_ROLE_SESSION_NAME")?,
            external_id: variable(get, "RDSTOKEN_EXTERNAL_ID")?,
            expires_in: seconds(get, "RDSTOKEN_EXPIRES_IN")?,
            align: seconds(get, "RDSTOKEN_ALIGN")?,
            timeout: seconds(get, "RDSTOKEN_TIMEOUT")?,
        })
    }

    pub(crate) fn options(&self) -> SignerOptions {
        let mut options = SignerOptions::new(&self.hostname, self.port, &self.username);
        options.region.clone_from(&self.region);
        options.profile.clone_from(&self.profile);
        options.role_arn.clone_from(&self.role_arn);
        options
            .role_session_name
            .clone_from(&self.role_session_name);
        options.external_id.clone_from(&self.external_id);
        if let Some(expires_in) = self.expires_in {
            options.expires_in = expires_in;
        }
        if let Some(align) = self.align {
            options.align = align;
        }
        if let Some(timeout) = self.timeout {
            options.timeout = timeout;
        }
        options
    }
}

/// An empty variable counts as none, as for AWS's tools.
fn variable(get: Get<'_>, name: &'static str) -> Result<Option<String>, Error> {
    match get(name) {
        None => Ok(None),
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Err(_) => Err(Error::invalid(name, "expected UTF-8")),
        },
    }
}

fn seconds(get: Get<'_>, name: &'static str) -> Result<Option<Duration>, Error> {
    variable(get, name)?
        .map(|text| text.parse().map(Duration::from_secs))
        .transpose()
        .map_err(|_| Error::invalid(name, "expected whole seconds"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    const HOST: &CStr = c"demo.cluster-abc123def456.us-east-1.rds.amazonaws.com";

    fn read(variables: &[(&str, &str)]) -> Result<SignerOptions, Error> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Settings::read(&get, HOST, 3306, c"app").map(|settings| settings.options())
    }

    #[test]
    fn the_connection_is_enough() {
        let options = read(&[("RDSTOKEN_HOSTNAME", ""), ("RDSTOKEN_REGION", "")]).unwrap();
        assert_eq!(options.hostname.as_bytes(), HOST.to_bytes());
        assert_eq!(options.port, 3306);
        assert_eq!(options.username, "app");
        assert_eq!((options.region, options.profile), (None, None));
        assert_eq!(options.expires_in, rdstoken::MAX_EXPIRES_IN);
        assert_eq!(options.timeout, rdstoken::DEFAULT_TIMEOUT);
    }

    #[test]
    fn the_environment_says_the_rest() {
        let options = read(&[
            ("RDSTOKEN_HOSTNAME", "real.example"),
            ("RDSTOKEN_PORT", "3307"),
            ("RDSTOKEN_REGION", "eu-central-1"),
            ("RDSTOKEN_PROFILE", "reports"),
            ("RDSTOKEN_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
            ("RDSTOKEN_ROLE_SESSION_NAME", "nightly"),
            ("RDSTOKEN_EXTERNAL_ID", "x-1"),
            ("RDSTOKEN_EXPIRES_IN", "600"),
            ("RDSTOKEN_ALIGN", "60"),
            ("RDSTOKEN_TIMEOUT", "9"),
        ])
        .unwrap();
        assert_eq!(options.hostname, "real.example");
        assert_eq!(options.port, 3307);
        assert_eq!(options.region.as_deref(), Some("eu-central-1"));
        assert_eq!(options.profile.as_deref(), Some("reports"));
        let arn = "arn:aws:iam::123456789012:role/app";
        assert_eq!(options.role_arn.as_deref(), Some(arn));
        assert_eq!(options.role_session_name.as_deref(), Some("nightly"));
        assert_eq!(options.external_id.as_deref(), Some("x-1"));
        assert_eq!(options.expires_in, Duration::from_secs(600));
        assert_eq!(options.align, Duration::from_secs(60));
        assert_eq!(options.timeout, Duration::from_secs(9));
    }

    #[test]
    fn an_error_names_the_variable() {
        for (name, value) in [
            ("RDSTOKEN_PORT", "0"),
            ("RDSTOKEN_PORT", "65536"),
            ("RDSTOKEN_PORT", "mysql"),
            ("RDSTOKEN_EXPIRES_IN", "15m"),
            ("RDSTOKEN_ALIGN", "-1"),
            ("RDSTOKEN_TIMEOUT", "0.5"),
        ] {
            assert_eq!(read(&[(name, value)]).err().unwrap().field(), Some(name));
        }
        let get =
            |name: &str| (name == "RDSTOKEN_PROFILE").then(|| OsString::from_vec(b"\xff".to_vec()));
        let error = Settings::read(&get, HOST, 3306, c"app").unwrap_err();
        assert_eq!(error.field(), Some("RDSTOKEN_PROFILE"));
        let error = Settings::read(&|_| None, HOST, 3306, c"a\xff").unwrap_err();
        assert_eq!(error.field(), Some("username"));
    }

    #[test]
    fn tls_policies() {
        let read = |value: &'static str| TlsPolicy::read(&move |_| Some(value.into()));
        assert_eq!(TlsPolicy::read(&|_| None).unwrap(), TlsPolicy::Verify);
        assert_eq!(read("").unwrap(), TlsPolicy::Verify);
        assert_eq!(read("verify").unwrap(), TlsPolicy::Verify);
        assert_eq!(read("require").unwrap(), TlsPolicy::Require);
        assert_eq!(read("off").unwrap_err().field(), Some("RDSTOKEN_TLS"));
    }
}
