use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::{Duration, SystemTime};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::amz_date::AmzDate;
use crate::presign::{SERVICE, check_expires_in};
use crate::{Credentials, Endpoint, Error, ErrorKind, Login, Region, SigningKey, uri};

/// How far in the future a token may be signed: clocks differ. `SigV4` services allow 5 minutes.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Three times the longest session token, and room for the rest.
const MAX_TOKEN: usize = 256 * 1024;

/// Checks tokens as the database server of Aurora or RDS does, against keys it knows.
///
/// It is for servers on a developer's machine. What it does not check: IAM policies, and whether
/// the key may `rds-db:connect` as that user.
///
/// Parameters may stand in any order, because the AWS SDKs differ in it; all else is strict, so
/// that no altered token passes. A token without the `/` before `?` (the Go SDK's) is refused, as
/// by newer clusters.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    keys: HashMap<String, Credentials>,
    endpoints: Vec<(Endpoint, Region)>,
    users: Option<HashSet<String>>,
}

/// Why a token was refused. For the server's log; the client is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is not a token: cut, altered in its form, or something else altogether.
    Malformed,
    /// The token is for another endpoint.
    WrongEndpoint,
    /// The token is for another user than the one logging in.
    WrongUser,
    /// The user is not one of those that log in by token.
    UserNotAllowed,
    /// The token is signed for another region than the endpoint's.
    WrongRegion,
    /// The token is signed for another service than `rds-db`.
    WrongService,
    /// The token asks to live longer than 900 seconds, or not at all.
    WrongExpiry,
    /// No such access key id.
    UnknownKey,
    /// The key has a session token and the token holds none.
    MissingSessionToken,
    /// The session token is not the key's, or the key has none.
    WrongSessionToken,
    /// The signature does not match the rest, or the secret key is another.
    BadSignature,
    /// The token was signed more than 5 minutes in the future.
    NotYetValid,
    /// The token's life is over.
    Expired,
    /// Too many new tokens in this second, from [`Throttle`](crate::Throttle).
    Throttled,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the password is not a whole, unaltered authentication token",
            Self::WrongEndpoint => "the token is signed for another host or port",
            Self::WrongUser => "the token is signed for another user",
            Self::UserNotAllowed => "the user may not log in with a token",
            Self::WrongRegion => "the token is signed for another region",
            Self::WrongService => "the token is signed for another service than rds-db",
            Self::WrongExpiry => "the token's X-Amz-Expires is not 1 to 900 seconds",
            Self::UnknownKey => "the access key id is not known",
            Self::MissingSessionToken => "the token lacks the session token of its access key",
            Self::WrongSessionToken => "the session token does not belong to the access key",
            Self::BadSignature => "the signature does not match",
            Self::NotYetValid => "the token is signed more than 5 minutes in the future",
            Self::Expired => "the token has expired",
            Self::Throttled => "too many new tokens in this second",
        })
    }
}

impl std::error::Error for Refusal {}

impl Verifier {
    /// A verifier that knows no key and no endpoint, and so refuses everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers to this endpoint too. `region` is needed only if the hostname names none.
    ///
    /// # Errors
    /// Those of [`Endpoint::new`] and [`Region::new`], and [`ErrorKind::RegionNotFound`].
    pub fn endpoint(
        mut self,
        hostname: &str,
        port: u16,
        region: Option<&str>,
    ) -> Result<Self, Error> {
        let endpoint = Endpoint::new(hostname, port)?;
        let region = match region {
            Some(name) => Region::new(name)?,
            None => endpoint.region().ok_or_else(|| {
                Error::new(
                    ErrorKind::RegionNotFound,
                    "the endpoint's name holds no AWS region; name the region",
                )
            })?,
        };
        self.endpoints.push((endpoint, region));
        Ok(self)
    }

    /// Accepts tokens signed with these credentials too.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.keys
            .insert(credentials.access_key_id().to_owned(), credentials);
        self
    }

    /// Lets this user in. Without any such call, every user may log in.
    #[must_use]
    pub fn user(mut self, username: &str) -> Self {
        self.users
            .get_or_insert_default()
            .insert(username.to_owned());
        self
    }

    /// Checks `token`, given as the password of `username`, at the time `now`. The session token
    /// and the signature are compared in constant time.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn verify(&self, token: &str, username: &str, now: SystemTime) -> Result<(), Refusal> {
        let claims = Claims::parse(token).ok_or(Refusal::Malformed)?;
        let (endpoint, region) = self
            .endpoints
            .iter()
            .find(|(endpoint, _)| endpoint.to_string() == claims.authority)
            .ok_or(Refusal::WrongEndpoint)?;
        if self
            .users
            .as_ref()
            .is_some_and(|users| !users.contains(username))
        {
            return Err(Refusal::UserNotAllowed);
        }
        if claims.username != username {
            return Err(Refusal::WrongUser);
        }
        if claims.service != SERVICE {
            return Err(Refusal::WrongService);
        }
        if claims.region != region.as_str() {
            return Err(Refusal::WrongRegion);
        }
        let expires_in = check_expires_in(Duration::from_secs(claims.expires))
            .map_err(|_| Refusal::WrongExpiry)?;
        let known = self
            .keys
            .get(&claims.access_key_id)
            .ok_or(Refusal::UnknownKey)?;
        match (known.session_token(), claims.session_token.as_ref()) {
            (None, None) => {}
            (Some(_), None) => return Err(Refusal::MissingSessionToken),
            (Some(ours), Some(theirs)) if same(&ours, theirs) => {}
            (_, Some(_)) => return Err(Refusal::WrongSessionToken),
        }

        let expected = Login::new(endpoint.hostname(), endpoint.port(), username)
            .and_then(|login| {
                let key = SigningKey::derive(known, region, claims.date.system_time())?;
                Ok(Zeroizing::new(key.signature(
                    &login,
                    claims.date,
                    expires_in,
                )))
            })
            .map_err(|_| Refusal::Malformed)?;
        if !same(&expected, &claims.signature) {
            return Err(Refusal::BadSignature);
        }

        let signed_at = claims.date.system_time();
        if signed_at > now + MAX_CLOCK_SKEW {
            return Err(Refusal::NotYetValid);
        }
        if signed_at + expires_in <= now {
            return Err(Refusal::Expired);
        }
        Ok(())
    }
}

fn same(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

/// What a token says of itself.
struct Claims {
    authority: String,
    username: String,
    access_key_id: String,
    date: AmzDate,
    region: String,
    service: String,
    expires: u64,
    session_token: Option<Zeroizing<String>>,
    signature: Zeroizing<String>,
}

impl Claims {
    fn parse(token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (authority, query) = token.split_once("/?")?;
        let mut parameters = HashMap::new();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=')?;
            if parameters
                .insert(name, Zeroizing::new(uri::decode_strictly(value)?))
                .is_some()
            {
                return None;
            }
        }
        let mut take = |name: &str| parameters.remove(name);

        let constant = |value: Option<Zeroizing<String>>, expected: &str| {
            (value?.as_str() == expected).then_some(())
        };
        constant(take("Action"), "connect")?;
        constant(take("X-Amz-Algorithm"), "AWS4-HMAC-SHA256")?;
        constant(take("X-Amz-SignedHeaders"), "host")?;

        let timestamp = take("X-Amz-Date")?;
        let credential = take("X-Amz-Credential")?;
        // From the right: an access key id may hold a slash, the scope's parts may not.
        let mut scope = credential.rsplitn(5, '/');
        let (request, service, region, day, access_key_id) = (
            scope.next()?,
            scope.next()?,
            scope.next()?,
            scope.next()?,
            scope.next()?,
        );
        if request != "aws4_request" || !timestamp.starts_with(day) || day.len() != 8 {
            return None;
        }
        let expires = take("X-Amz-Expires")?;
        if expires.starts_with('0') && expires.as_str() != "0"
            || !expires.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let claims = Self {
            authority: authority.to_owned(),
            username: take("DBUser")?.as_str().to_owned(),
            access_key_id: access_key_id.to_owned(),
            date: AmzDate::parse(&timestamp)?,
            region: region.to_owned(),
            service: service.to_owned(),
            expires: expires.parse().ok()?,
            session_token: take("X-Amz-Security-Token"),
            signature: take("X-Amz-Signature")?,
        };
        parameters.is_empty().then_some(claims)
    }
}
