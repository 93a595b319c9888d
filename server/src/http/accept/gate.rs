//! Who may connect: the counts of connections, in all and for each address, and who makes room when they are reached.
//!
//! Does no I/O: a connection that is to make room is told so, and ends itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::AcceptBounds;
use crate::http::address::Peer;

#[derive(Debug)]
pub(super) struct Gate {
    total: usize,
    per_address: usize,
    reserve: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: HashMap<u64, Open>,
    /// By how long they have waited: the ids of connections that have no request under way. Ordered by a number that
    /// only grows.
    waiting: BTreeMap<u64, u64>,
    peers: HashMap<Peer, Connections>,
    /// Connections of [`Lane::Served`].
    served: usize,
    /// Connections of [`Lane::Reserve`], the oldest first.
    reserved: BTreeSet<u64>,
}

#[derive(Debug)]
struct Open {
    peer: Peer,
    lane: Lane,
    /// Its place in `waiting`.
    waiting: Option<u64>,
    evicted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Connections {
    served: usize,
    waiting: BTreeMap<u64, u64>,
}

/// How a connection is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Served,
    /// The server is full: one answer, and only that it lives.
    Reserve,
}

/// A connection's place; dropping it makes the place free.
#[derive(Debug)]
pub(super) struct Ticket {
    gate: Arc<Gate>,
    id: u64,
    lane: Lane,
    evicted: Arc<Notify>,
    /// What goes on on it: a request, a write that the peer is slow to take.
    works: AtomicUsize,
}

impl Gate {
    pub(super) fn new(bounds: &AcceptBounds) -> Arc<Self> {
        Arc::new(Self {
            total: bounds.total,
            per_address: bounds.per_address,
            reserve: bounds.reserve,
            state: Mutex::default(),
        })
    }

    /// Lets a connection in; `None`, when there is no reserve either, closes it at once.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Arc<Ticket>> {
        let peer = Peer::of(address);
        let mut state = self.state.lock();
        let of_peer = state.peers.get(&peer);
        let victim = if of_peer.is_some_and(|of_peer| of_peer.served >= self.per_address) {
            Some(of_peer.and_then(|of_peer| oldest(&of_peer.waiting)))
        } else if state.served >= self.total {
            Some(oldest(&state.waiting))
        } else {
            None
        };
        let lane = match victim {
            None => Lane::Served,
            Some(Some(oldest)) => {
                state.evict(oldest);
                Lane::Served
            }
            Some(None) => {
                if state.reserved.len() >= self.reserve {
                    // An answer takes no time, so who has been here longest is not waiting for one.
                    let oldest = *state.reserved.first()?;
                    state.evict(oldest);
                }
                Lane::Reserve
            }
        };
        let id = state.next;
        state.next += 1;
        let evicted = Arc::<Notify>::default();
        state.open.insert(id, Open { peer, lane, waiting: None, evicted: evicted.clone() });
        match lane {
            Lane::Served => {
                state.served += 1;
                state.peers.entry(peer).or_default().served += 1;
                state.wait(id);
            }
            Lane::Reserve => drop(state.reserved.insert(id)),
        }
        Some(Arc::new(Ticket { gate: self.clone(), id, lane, evicted, works: AtomicUsize::new(0) }))
    }

    /// Ends the connection that has waited longest without a request, if one waits.
    pub(super) fn evict_oldest(&self) {
        let mut state = self.state.lock();
        if let Some(oldest) = oldest(&state.waiting) {
            state.evict(oldest);
        }
    }
}

fn oldest(waiting: &BTreeMap<u64, u64>) -> Option<u64> {
    waiting.first_key_value().map(|(_, &id)| id)
}

impl State {
    fn evict(&mut self, id: u64) {
        if let Some(open) = self.remove(id) {
            open.evicted.notify_one();
        }
    }

    fn remove(&mut self, id: u64) -> Option<Open> {
        self.work(id);
        let open = self.open.remove(&id)?;
        if open.lane == Lane::Reserve {
            self.reserved.remove(&id);
            return Some(open);
        }
        self.served -= 1;
        if let Some(of_peer) = self.peers.get_mut(&open.peer) {
            of_peer.served -= 1;
            if of_peer.served == 0 {
                self.peers.remove(&open.peer);
            }
        }
        Some(open)
    }

    /// Has a connection wait from now on. Those of the reserve are in an order of their own.
    fn wait(&mut self, id: u64) {
        let Some(open) = self.open.get_mut(&id) else { return };
        if open.lane == Lane::Reserve || open.waiting.is_some() {
            return;
        }
        let place = self.next;
        self.next += 1;
        open.waiting = Some(place);
        self.waiting.insert(place, id);
        if let Some(of_peer) = self.peers.get_mut(&open.peer) {
            of_peer.waiting.insert(place, id);
        }
    }

    fn work(&mut self, id: u64) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let Some(place) = open.waiting.take() else { return };
        self.waiting.remove(&place);
        if let Some(of_peer) = self.peers.get_mut(&open.peer) {
            of_peer.waiting.remove(&place);
        }
    }
}

impl Ticket {
    pub(super) fn lane(&self) -> Lane {
        self.lane
    }

    /// Something begins: from now on the connection is not asked to make room.
    pub(super) fn work(&self) {
        if self.works.fetch_add(1, Ordering::AcqRel) == 0 {
            self.gate.state.lock().work(self.id);
        }
    }

    /// What [`Ticket::work`] began is done.
    pub(super) fn wait(&self) {
        if self.works.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.gate.state.lock().wait(self.id);
        }
    }

    /// Whether nothing goes on.
    pub(super) fn is_waiting(&self) -> bool {
        self.works.load(Ordering::Acquire) == 0
    }

    /// Resolves when the connection must make room.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.gate.state.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Arc<Gate> {
        Gate::new(&AcceptBounds { total: 4, per_address: 2, reserve: 1, ..AcceptBounds::default() })
    }

    fn ip(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn is_evicted(ticket: &Ticket) -> bool {
        futures_util::FutureExt::now_or_never(ticket.evicted()).is_some()
    }

    #[test]
    fn an_address_at_its_limit_makes_room_by_its_own_oldest_waiting_connection() {
        let gate = gate();
        let other = gate.admit(ip(9)).unwrap();
        let first = gate.admit(ip(1)).unwrap();
        let second = gate.admit(ip(1)).unwrap();
        first.work();
        let third = gate.admit(ip(1)).unwrap();
        assert_eq!(third.lane(), Lane::Served);
        assert!(is_evicted(&second) && !is_evicted(&first) && !is_evicted(&other));
        third.work();
        let over = gate.admit(ip(1)).unwrap();
        assert_eq!(over.lane(), Lane::Reserve);
        let further = gate.admit(ip(1)).unwrap();
        assert!(is_evicted(&over));
        drop((over, further, third));
        assert_eq!(gate.admit(ip(1)).unwrap().lane(), Lane::Served);
    }

    #[test]
    fn a_full_server_keeps_who_has_a_request_under_way() {
        let gate = gate();
        let busy: Vec<_> = (1..=4).map(|last| gate.admit(ip(last)).unwrap()).collect();
        busy.iter().for_each(|ticket| ticket.work());
        assert_eq!(gate.admit(ip(9)).unwrap().lane(), Lane::Reserve);
        busy[2].wait();
        assert_eq!(gate.admit(ip(9)).unwrap().lane(), Lane::Served);
        assert!(is_evicted(&busy[2]));
    }

    #[test]
    fn nothing_is_kept_of_connections_that_have_ended() {
        let gate = gate();
        let tickets: Vec<_> = (0..6).filter_map(|last| gate.admit(ip(last / 2))).collect();
        drop(tickets);
        let state = gate.state.lock();
        assert!(
            state.open.is_empty() && state.waiting.is_empty() && state.peers.is_empty() && state.reserved.is_empty()
        );
        assert_eq!(state.served, 0);
    }
}
