//! How many mails somebody may have sent: to one address, so that nobody's mailbox is filled by others, and from one place.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::http::address::Peer;

/// Mails an hour to one address, and from one place, behind which may be a school.
const TO: NonZeroU32 = NonZeroU32::new(5).expect("more than none");
const FROM: NonZeroU32 = NonZeroU32::new(100).expect("more than none");
/// Addresses that are remembered before those that are at rest are forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Mails {
    to: DefaultKeyedRateLimiter<String>,
    from: DefaultKeyedRateLimiter<Peer>,
}

impl Mails {
    /// Counts one, and says whether it may go.
    pub(super) fn may_go(&self, from: IpAddr, to: &str) -> bool {
        if self.to.len() > REMEMBERED || self.from.len() > REMEMBERED {
            self.to.retain_recent();
            self.from.retain_recent();
        }
        self.from.check_key(&Peer::of(from)).is_ok() && self.to.check_key(&to.trim().to_lowercase()).is_ok()
    }
}

impl Default for Mails {
    fn default() -> Self {
        Self { to: RateLimiter::keyed(Quota::per_hour(TO)), from: RateLimiter::keyed(Quota::per_hour(FROM)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_so_many_and_a_place_sends_so_many() {
        let mails = Mails::default();
        let ip = |last: u8| IpAddr::from([192, 0, 2, last]);
        let sent = (0..10).filter(|_| mails.may_go(ip(1), "Ada@example.org ")).count();
        assert_eq!(sent, 5);
        assert!(!mails.may_go(ip(2), "ada@example.org") && mails.may_go(ip(2), "bob@example.org"));
        let sent = (0..200).filter(|n| mails.may_go(ip(3), &format!("{n}@example.org"))).count();
        assert_eq!(sent, 100);
    }
}
