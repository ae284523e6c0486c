//! `X-Amz-Date`: `yyyymmddThhmmssZ`, UTC, whole seconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::Error;

/// A signing time that fits `X-Amz-Date`: whole seconds within 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmzDate {
    unix_seconds: u64,
}

impl AmzDate {
    /// Drops the fraction of a second, which the format has no room for.
    pub(crate) fn new(signing_time: SystemTime) -> Result<Self, Error> {
        let unix_seconds = signing_time
            .duration_since(UNIX_EPOCH)
            .ok()
            .map(|since| since.as_secs())
            .filter(|seconds| *seconds <= LAST_SECOND)
            .ok_or_else(|| {
                Error::invalid(
                    "signing_time",
                    "expected a time from 1970-01-01T00:00:00Z to 9999-12-31T23:44:59Z",
                )
            })?;
        Ok(Self { unix_seconds })
    }

    pub(crate) fn system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.unix_seconds)
    }

    /// Days since 1970, which a signing key is bound to.
    pub(crate) fn day(self) -> u64 {
        self.unix_seconds / 86_400
    }

    /// `yyyymmddThhmmssZ`; its first eight characters are the date of the credential scope.
    pub(crate) fn text(self) -> String {
        let at = OffsetDateTime::from(self.system_time());
        format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits = |from: usize, to: usize| {
            bytes[from..to].iter().try_fold(0_u16, |value, byte| {
                byte.is_ascii_digit()
                    .then(|| value * 10 + u16::from(byte - b'0'))
            })
        };
        let small = |from: usize| digits(from, from + 2).and_then(|value| u8::try_from(value).ok());
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let month = Month::try_from(small(4)?).ok()?;
        let date = Date::from_calendar_date(i32::from(digits(0, 4)?), month, small(6)?).ok()?;
        let time = Time::from_hms(small(9)?, small(11)?, small(13)?).ok()?;
        let at = PrimitiveDateTime::new(date, time).assume_utc();
        Some(Self {
            unix_seconds: u64::try_from(at.unix_timestamp()).ok()?,
        })
    }
}

/// 9999-12-31T23:44:59Z: the token's expiry must be within the year 9999 too, where the calendars
/// of Python and of RFC 3339 end.
const LAST_SECOND: u64 = 253_402_299_899;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_parse_are_inverse() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_827_696, "20000229T123456Z"),
            (LAST_SECOND, "99991231T234459Z"),
        ] {
            let date = AmzDate::new(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            assert_eq!(date.text(), text);
            assert_eq!(AmzDate::parse(text), Some(date));
        }
    }

    #[test]
    fn only_the_one_format_is_read() {
        for text in [
            "",
            "20260230T000000Z",
            "20260101T240000Z",
            "20260101T000060Z",
            "20260101t000000Z",
            "2026-01-01T000000Z",
            "20260101T000000",
            "2026010éT00000Z",
            "19691231T235959Z",
            "+0260101T000000Z",
        ] {
            assert_eq!(AmzDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_outside_the_format_are_refused() {
        for time in [
            UNIX_EPOCH - Duration::from_secs(1),
            UNIX_EPOCH + Duration::from_secs(LAST_SECOND + 1),
        ] {
            assert_eq!(
                AmzDate::new(time).unwrap_err().field(),
                Some("signing_time")
            );
        }
    }
}
