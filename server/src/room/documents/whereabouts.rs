//! Who is where in a document: the latest awareness state of each client of Yjs, and which connection speaks for it. Knows
//! no sockets, and does no I/O.
//!
//! A connection speaks for one client, the first that it names. The numbers of clients stand in what they typed, so that
//! others know them: who was seen typing as a client, and is here, speaks for it, whoever named it before.

use std::collections::HashMap;

use super::super::document::Aware;
use super::super::members::SeatId;

/// The state of a client that is gone, in JSON.
const GONE: &str = "null";

#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    all: Vec<Client>,
    /// Who was seen typing as which client, of those that are here.
    typists: HashMap<u64, SeatId>,
    /// Counts changes.
    moves: u64,
}

/// Where one client is.
#[derive(Debug)]
struct Client {
    /// `None` once it has left.
    member: Option<SeatId>,
    /// As it is passed on.
    aware: Aware,
    /// Added to the clock that it says, so that it goes on where somebody who spoke for it before has stopped.
    ahead: u64,
    /// What `moves` was when this changed.
    at: u64,
}

impl Whereabouts {
    pub(super) fn moves(&self) -> u64 {
        self.moves
    }

    /// What changed after `seen`, for a member; of itself only if it `hears_itself`.
    pub(super) fn since(&self, seen: u64, member: SeatId, hears_itself: bool) -> Vec<&Aware> {
        let is_news = |one: &&Client| one.at > seen && (one.member != Some(member) || hears_itself);
        self.all.iter().filter(is_news).map(|one| &one.aware).collect()
    }

    /// A member says where it is. Says whether that is news; what it says of others than its own client is none.
    pub(super) fn moved(&mut self, member: SeatId, mut aware: Aware) -> bool {
        if self.typists.get(&aware.client).is_some_and(|typist| *typist != member) {
            return false;
        }
        let speaks = self.all.iter().any(|one| one.member == Some(member));
        let mut ahead = 0;
        if let Some(at) = self.all.iter().position(|one| one.aware.client == aware.client) {
            let one = &mut self.all[at];
            if one.member == Some(member) {
                if aware.clock <= one.aware.clock {
                    aware.clock += one.ahead;
                } else {
                    one.ahead = 0;
                }
                if aware.clock <= one.aware.clock {
                    return false;
                }
                self.moves += 1;
                (one.aware, one.at) = (aware, self.moves);
                return true;
            }
            if one.member.is_some() || speaks || aware.state == GONE {
                return false;
            }
            // One that left and came back.
            ahead = (one.aware.clock + 1).saturating_sub(aware.clock);
            self.all.remove(at);
        } else if speaks || aware.state == GONE {
            return false;
        }
        aware.clock += ahead;
        self.moves += 1;
        self.all.push(Client { member: Some(member), aware, ahead, at: self.moves });
        true
    }

    /// A member has typed as this client. Says whether that ends what somebody else said of it.
    pub(super) fn typed(&mut self, member: SeatId, client: u64) -> bool {
        // Who was the first to is it until they leave.
        if *self.typists.entry(client).or_insert(member) != member {
            return false;
        }
        let is_anothers = |one: &&mut Client| one.aware.client == client && one.member.is_some_and(|who| who != member);
        let Some(one) = self.all.iter_mut().find(is_anothers) else { return false };
        self.moves += 1;
        one.leave(self.moves);
        true
    }

    /// Nobody goes on seeing a member. Says whether somebody did.
    pub(super) fn left(&mut self, member: SeatId) -> bool {
        self.typists.retain(|_, typist| *typist != member);
        let Some(one) = self.all.iter_mut().find(|one| one.member == Some(member)) else { return false };
        self.moves += 1;
        one.leave(self.moves);
        true
    }

    /// Those that left are remembered until everybody has been told: all changes up to `told`.
    pub(super) fn forget_gone(&mut self, told: u64) {
        self.all.retain(|one| one.member.is_some() || one.at > told);
    }
}

impl Client {
    /// With the clock it had: it may come back with the next one.
    fn leave(&mut self, at: u64) {
        (self.member, self.at) = (None, at);
        GONE.clone_into(&mut self.aware.state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SeatId = SeatId(1);
    const BOB: SeatId = SeatId(2);

    fn aware(clock: u64, state: &str) -> Aware {
        Aware { client: 10, clock, state: state.to_owned() }
    }

    fn seen(whereabouts: &Whereabouts, from: u64) -> Vec<(u64, &str)> {
        whereabouts.since(from, SeatId(3), false).into_iter().map(|aware| (aware.clock, &*aware.state)).collect()
    }

    #[test]
    fn who_types_as_a_client_speaks_for_it_whoever_named_it_before() {
        let mut whereabouts = Whereabouts::default();
        // Bob has Ada's number from what she typed on an earlier connection, and says the highest clock there is.
        assert!(whereabouts.moved(BOB, aware(u64::from(u32::MAX), "{\"not\":\"Ada\"}")));
        assert!(!whereabouts.moved(ADA, aware(7, "{}")));
        assert!(whereabouts.typed(ADA, 10) && !whereabouts.typed(ADA, 10));
        let highest = u64::from(u32::MAX);
        assert_eq!(seen(&whereabouts, 1), [(highest, GONE)]);
        assert!(!whereabouts.moved(BOB, aware(highest, "{\"again\":1}")));
        assert!(whereabouts.moved(ADA, aware(8, "{}")) && whereabouts.moved(ADA, aware(9, "{\"next\":1}")));
        assert_eq!(seen(&whereabouts, 2), [(highest + 2, "{\"next\":1}")], "it goes on where the other stopped");
        assert!(!whereabouts.moved(ADA, aware(9, "{\"old\":1}")));
        // Nor does it help Bob to type as her, while she is here.
        assert!(!whereabouts.typed(BOB, 10) && !whereabouts.moved(BOB, aware(highest, "{}")));
    }
}
