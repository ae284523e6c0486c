use std::collections::{HashSet, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::Refusal;

/// Refuses new tokens that come too fast, as Aurora does: it takes 200 a second for each cluster,
/// and does not count a token that it has just seen
/// ([AWS](https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html)).
///
/// How long a token counts as just seen, AWS does not say. This one remembers the last 4,096, by
/// their digests.
#[derive(Clone, Debug)]
pub struct Throttle {
    per_second: u32,
    second: u64,
    new_tokens: u32,
    order: VecDeque<[u8; 32]>,
    seen: HashSet<[u8; 32]>,
}

/// What Aurora takes.
pub const AURORA_TOKENS_PER_SECOND: u32 = 200;

const REMEMBERED: usize = 4096;
const HEADER: usize = 12;

impl Throttle {
    /// Lets `per_second` new tokens pass in each second of the wall clock.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            second: 0,
            new_tokens: 0,
            order: VecDeque::new(),
            seen: HashSet::new(),
        }
    }

    /// Counts a token that a [`Verifier`](crate::Verifier) has found good.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] if it is new and there have been too many in this second.
    pub fn admit(&mut self, token: &str, now: SystemTime) -> Result<(), Refusal> {
        let digest = Sha256::digest(token).into();
        if self.seen.contains(&digest) {
            return Ok(());
        }
        let second = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if second != self.second {
            (self.second, self.new_tokens) = (second, 0);
        }
        if self.new_tokens >= self.per_second {
            return Err(Refusal::Throttled);
        }
        self.new_tokens += 1;
        self.remember(digest);
        Ok(())
    }

    fn remember(&mut self, digest: [u8; 32]) {
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(digest);
        self.seen.insert(digest);
    }

    /// The state, for servers that check each login in a process of its own. It holds digests, no
    /// tokens.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 32 * self.order.len());
        bytes.extend(self.second.to_le_bytes());
        bytes.extend(self.new_tokens.to_le_bytes());
        for digest in &self.order {
            bytes.extend(digest);
        }
        bytes
    }

    /// The state as [`to_bytes`](Self::to_bytes) wrote it. Anything else, such as an empty file,
    /// counts as the beginning.
    #[must_use]
    pub fn from_bytes(per_second: u32, bytes: &[u8]) -> Self {
        let mut throttle = Self::new(per_second);
        let Some((header, digests)) = bytes.split_first_chunk::<HEADER>() else {
            return throttle;
        };
        if !digests.len().is_multiple_of(32) {
            return throttle;
        }
        let (second, new_tokens) = header.split_at(8);
        throttle.second = second.try_into().map_or(0, u64::from_le_bytes);
        throttle.new_tokens = new_tokens.try_into().map_or(0, u32::from_le_bytes);
        for digest in digests.as_chunks::<32>().0 {
            throttle.remember(*digest);
        }
        throttle
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn new_tokens_are_counted_by_the_second_and_seen_ones_not_at_all() {
        let mut throttle = Throttle::new(2);
        assert_eq!(throttle.admit("a", at(1)), Ok(()));
        assert_eq!(throttle.admit("b", at(1)), Ok(()));
        assert_eq!(throttle.admit("c", at(1)), Err(Refusal::Throttled));
        assert_eq!(throttle.admit("a", at(1)), Ok(()));
        assert_eq!(throttle.admit("c", at(2)), Ok(()));
        assert_eq!(throttle.admit("c", at(2)), Ok(()));
    }

    #[test]
    fn the_state_goes_there_and_back() {
        let mut throttle = Throttle::new(2);
        throttle.admit("a", at(1)).unwrap();
        throttle.admit("b", at(1)).unwrap();
        let bytes = throttle.to_bytes();
        let mut again = Throttle::from_bytes(2, &bytes);
        assert_eq!(again.to_bytes(), bytes);
        assert_eq!(again.admit("a", at(1)), Ok(()));
        assert_eq!(again.admit("c", at(1)), Err(Refusal::Throttled));
        for broken in [&bytes[..0], &bytes[..5], &bytes[..bytes.len() - 1]] {
            let mut fresh = Throttle::from_bytes(2, broken);
            assert_eq!(fresh.admit("c", at(1)), Ok(()));
        }
    }

    #[test]
    fn it_remembers_only_so_many() {
        let mut throttle = Throttle::new(u32::MAX);
        for number in 0..=REMEMBERED {
            throttle.admit(&number.to_string(), at(1)).unwrap();
        }
        assert_eq!(throttle.to_bytes().len(), HEADER + 32 * REMEMBERED);
        throttle.per_second = 0;
        assert_eq!(throttle.admit("1", at(1)), Ok(()));
        assert_eq!(throttle.admit("0", at(1)), Err(Refusal::Throttled));
    }
}
