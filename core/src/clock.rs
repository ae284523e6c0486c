use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Where a [`Signer`](crate::Signer) reads the time, so that tests can move it.
pub trait Clock: Send + Sync {
    /// One look at both clocks.
    fn now(&self) -> Now;

    /// A number that changes when a clock is set, and at least every tenth of a second; for a look
    /// that costs less than one at both clocks. `None`, as it is unless overridden, if there is no
    /// such thing.
    fn tick(&self) -> Option<NonZeroU64> {
        None
    }
}

/// A moment, by two clocks. A wall clock can be set; the boot clock only ever goes on, also while
/// the machine is suspended. Together they tell how much time has really passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock.
    pub wall: SystemTime,
    /// The time since the machine started.
    pub boot: Duration,
}

impl Now {
    /// What is left until `end`, for something that was first seen at `seen`: by the clock that
    /// leaves less. So neither a wall clock set back nor one that stood still makes it live longer.
    pub(crate) fn left_until(self, end: SystemTime, seen: Self) -> Duration {
        let by_boot = seen.wall + self.since(seen);
        end.duration_since(self.wall.max(by_boot))
            .unwrap_or(Duration::ZERO)
    }

    /// A moment by both clocks later.
    pub(crate) fn after(self, moment: Duration) -> Self {
        Self {
            wall: self.wall + moment,
            boot: self.boot.saturating_add(moment),
        }
    }

    /// How much time has passed by the boot clock.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.boot.saturating_sub(earlier.boot)
    }
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clocks"
    )]
    fn now(&self) -> Now {
        // Linux has had this clock since 2.6.39; without it the wall clock is all there is.
        let boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or_else(
            |_| {
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
            },
            Duration::from,
        );
        Now {
            wall: SystemTime::now(),
            boot,
        }
    }

    /// The wall clock as of the kernel's last tick, 1 to 10 ms ago. It costs a quarter of a look
    /// at one clock: 5 ns.
    fn tick(&self) -> Option<NonZeroU64> {
        let wall = clock_gettime(ClockId::CLOCK_REALTIME_COARSE).ok()?;
        NonZeroU64::new(u64::try_from(Duration::from(wall).as_nanos()).ok()?)
    }
}
