use std::fmt;
use std::net::Ipv6Addr;

use crate::Error;

/// A database's hostname and port, checked and brought into the one form that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    hostname: String,
    port: u16,
}

/// RFC 1035, 2.3.4.
const MAX_HOSTNAME: usize = 253;
const MAX_LABEL: usize = 63;

impl Endpoint {
    /// Checks `hostname` and `port`; lower-cases the name and drops one trailing dot.
    ///
    /// # Errors
    /// `hostname` unless it is a DNS name (ASCII; an IDN in its `xn--` form) and nothing more, and
    /// no IP address, because Aurora checks the endpoint's name; `port` if it is 0, because the
    /// port is signed and never guessed.
    pub fn new(hostname: &str, port: u16) -> Result<Self, Error> {
        let refuse = |expected: &'static str| Err(Error::invalid("hostname", expected));
        if hostname.is_empty() {
            return refuse("expected the database's endpoint name, got an empty text");
        }
        if hostname.contains("://") {
            return refuse("expected a DNS name alone, without a scheme before it");
        }
        if hostname.contains(['/', '?', '#', '@']) {
            return refuse("expected a DNS name alone, without a path, query, fragment or user");
        }
        if is_ip_address(hostname) {
            return refuse(
                "expected the endpoint's DNS name, not an IP address: \
                 the server checks the name that was signed",
            );
        }
        if hostname.contains(':') {
            return refuse("expected a DNS name alone; the port is an argument of its own");
        }
        let name = hostname.strip_suffix('.').unwrap_or(hostname);
        if name.len() > MAX_HOSTNAME {
            return refuse("expected a DNS name of at most 253 bytes");
        }
        if name
            .split('.')
            .any(|label| label.is_empty() || label.len() > MAX_LABEL)
        {
            return refuse("expected a DNS name whose labels have 1 to 63 characters");
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !name.bytes().all(allowed) {
            return refuse(
                "expected a DNS name of ASCII letters, digits, '-', '_' and '.' \
                 (an international name in its xn-- form)",
            );
        }
        if port == 0 {
            return Err(Error::invalid(
                "port",
                "expected the database's port, 1 to 65535",
            ));
        }
        Ok(Self {
            hostname: name.to_ascii_lowercase(),
            port,
        })
    }

    /// The hostname as it is signed and printed: lower case, no trailing dot.
    #[must_use]
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// The port, 1 to 65535.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The region in the endpoint's name, or `None` for a name without one: a global writer
    /// endpoint, or any name that is not RDS's own.
    ///
    /// Regions are found by shape, not from a list, so a region opened tomorrow is found too.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        region_label(&self.hostname).map(|label| Region(label.to_owned()))
    }
}

impl Endpoint {
    /// Whether the name is one of RDS's own.
    pub(crate) fn is_rds(&self) -> bool {
        self.region().is_some() || self.hostname.ends_with(GLOBAL_SUFFIX)
    }
}

/// Global writer endpoints hold no region.
const GLOBAL_SUFFIX: &str = ".global.rds.amazonaws.com";

/// `hostname:port`, as it is signed.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.hostname, self.port)
    }
}

/// As the WHATWG URL standard has it, a name whose last label is a number is an IPv4 address,
/// however it is abbreviated.
fn is_ip_address(hostname: &str) -> bool {
    let inner = hostname.trim_start_matches('[').trim_end_matches(']');
    let inner = inner.split('%').next().unwrap_or(inner);
    if inner.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let name = hostname.strip_suffix('.').unwrap_or(hostname);
    let name = name.split(':').next().unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The DNS suffixes of AWS's partitions (botocore's `partitions.json`, `dnsSuffix`).
const PARTITION_SUFFIXES: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "amazonaws.au",
    "amazonaws.uk",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// The partitions that also have the older order, `NAME.<x>.rds.REGION.<suffix>`.
const REGION_AFTER_SERVICE: &[&str] = &["amazonaws.com.cn", "c2s.ic.gov", "sc2s.sgov.gov"];

fn region_label(hostname: &str) -> Option<&str> {
    PARTITION_SUFFIXES.iter().find_map(|suffix| {
        let rest = hostname.strip_suffix(suffix)?.strip_suffix('.')?;
        let mut labels = rest.rsplit('.');
        let (last, before) = (labels.next()?, labels.next()?);
        labels.next()?; // a database's own name stands before both
        match (before, last) {
            (region, "rds" | "rds-fips") if Region::has_shape(region) => Some(region),
            ("rds", region)
                if REGION_AFTER_SERVICE.contains(suffix) && Region::has_shape(region) =>
            {
                Some(region)
            }
            _ => None,
        }
    })
}

/// The name of an AWS region, such as `us-east-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region(String);

impl Region {
    /// Checks that `name` looks like a region: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`.
    ///
    /// # Errors
    /// `region` otherwise. An availability zone (`us-east-1a`) or upper case is refused here,
    /// because the server would refuse it without saying why.
    pub fn new(name: &str) -> Result<Self, Error> {
        if Self::has_shape(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Error::invalid(
                "region",
                "expected an AWS region in lower case, such as us-east-1 \
                 (us-east-1a would be an availability zone)",
            ))
        }
    }

    /// The region's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `[a-z]{2,}(-[a-z]+)+-[0-9]+` within the length of a DNS label.
    fn has_shape(name: &str) -> bool {
        let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
        let Some((words, number)) = name.rsplit_once('-') else {
            return false;
        };
        let Some((first, rest)) = words.split_once('-') else {
            return false;
        };
        name.len() <= MAX_LABEL
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && first.len() >= 2
            && letters(first)
            && rest.split('-').all(letters)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
