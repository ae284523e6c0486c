//! The signers of this process: one for all connections with the same settings.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rdstoken::{Error, Signer};

use crate::settings::Settings;

/// A process that logs in as more users, or at more endpoints, than this makes some signers again.
const MOST: usize = 64;

type Entries = Vec<(Settings, Arc<Signer>)>;

/// The newest last. A list that is swapped whole and no lock: a fork at any moment leaves it in
/// order.
pub(crate) struct Signers(ArcSwapOption<Entries>);

impl Signers {
    pub(crate) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// The signer for these settings, made if there is none yet.
    pub(crate) fn get(&self, settings: &Settings) -> Result<Arc<Signer>, Error> {
        if let Some(signer) = self.0.load().as_deref().and_then(|all| find(all, settings)) {
            return Ok(signer);
        }
        let made = Arc::new(Signer::new(settings.options())?);
        let mut kept = Arc::clone(&made);
        self.0.rcu(|entries| {
            let entries = entries.as_deref().map_or(&[][..], Vec::as_slice);
            if let Some(signer) = find(entries, settings) {
                // Another thread was faster.
                kept = signer;
                return Some(Arc::new(entries.to_vec()));
            }
            kept = Arc::clone(&made);
            let surplus = (entries.len() + 1).saturating_sub(MOST);
            let mut entries = entries[surplus..].to_vec();
            entries.push((settings.clone(), Arc::clone(&made)));
            Some(Arc::new(entries))
        });
        Ok(kept)
    }
}

fn find(entries: &[(Settings, Arc<Signer>)], settings: &Settings) -> Option<Arc<Signer>> {
    let mut entries = entries.iter();
    entries
        .find(|(key, _)| key == settings)
        .map(|(_, signer)| Arc::clone(signer))
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::thread;

    use super::*;

    fn settings(user: &str) -> Settings {
        let user = CString::new(user).unwrap();
        let host = c"demo.cluster-abc123def456.us-east-1.rds.amazonaws.com";
        Settings::read(&|_| None, host, 3306, &user).unwrap()
    }

    #[test]
    fn equal_settings_share_a_signer() {
        let signers = Signers::new();
        let first = signers.get(&settings("app")).unwrap();
        assert!(Arc::ptr_eq(&first, &signers.get(&settings("app")).unwrap()));
        assert!(!Arc::ptr_eq(
            &first,
            &signers.get(&settings("other")).unwrap()
        ));
    }

    #[test]
    fn threads_share_a_signer() {
        let signers = Signers::new();
        let found: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| signers.get(&settings("app")).unwrap()))
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(found.iter().all(|one| Arc::ptr_eq(one, &found[0])));
    }

    #[test]
    fn the_oldest_make_room() {
        let signers = Signers::new();
        let first = signers.get(&settings("app")).unwrap();
        for number in 0..MOST {
            drop(signers.get(&settings(&format!("user-{number}"))).unwrap());
        }
        assert_eq!(signers.0.load_full().unwrap().len(), MOST);
        assert!(!Arc::ptr_eq(
            &first,
            &signers.get(&settings("app")).unwrap()
        ));
    }

    #[test]
    fn what_is_refused_is_not_kept() {
        let signers = Signers::new();
        assert_eq!(
            signers.get(&settings("")).err().unwrap().field(),
            Some("username")
        );
        assert!(signers.0.load_full().is_none());
    }
}
