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

    /// The `yyyymmdd` of the format, which is also the date of the credential scope.
    pub(crate) fn day_text(self) -> Ascii<8> {
        let at = OffsetDateTime::from(self.system_time());
        let year = u32::try_from(at.year()).unwrap_or(0);
        Ascii::of_digits([
            year / 100,
            year % 100,
            u32::from(u8::from(at.month())),
            u32::from(at.day()),
        ])
    }

    /// The `hhmmss` of the format.
    pub(crate) fn time_text(self) -> Ascii<6> {
        let second = u32::try_from(self.unix_seconds % 86_400).unwrap_or(0);
        Ascii::of_digits([second / 3600, second / 60 % 60, second % 60])
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

/// A short text on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Ascii<const LENGTH: usize>([u8; LENGTH]);

impl<const LENGTH: usize> Ascii<LENGTH> {
    /// Two digits for each number below 100.
    fn of_digits<const NUMBERS: usize>(numbers: [u32; NUMBERS]) -> Self {
        let mut text = [b'0'; LENGTH];
        for (pair, number) in text.chunks_exact_mut(2).zip(numbers) {
            for (digit, value) in pair.iter_mut().zip([number / 10, number % 10]) {
                *digit = b"0123456789"[value as usize % 10];
            }
        }
        Self(text)
    }

    /// The last digits of a number, with zeros before them.
    pub(crate) fn of_number(mut number: u64) -> Self {
        let mut text = [b'0'; LENGTH];
        for digit in text.iter_mut().rev() {
            *digit = b"0123456789"[usize::try_from(number % 10).unwrap_or(0)];
            number /= 10;
        }
        Self(text)
    }

    pub(crate) fn of_hexadecimal(bytes: &[u8]) -> Self {
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let mut text = [b'0'; LENGTH];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("digits")
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
            let (day, time) = (date.day_text(), date.time_text());
            assert_eq!(format!("{}T{}Z", day.as_str(), time.as_str()), text);
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
