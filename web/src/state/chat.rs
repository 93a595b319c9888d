//! What people said and did in the room, as the panel shows it: events in the order of their numbers, messages of one's
//! own that are on their way, and how many were not seen.

use std::rc::Rc;

use embedenv_shared::event::{RoomEvent, What};
use embedenv_shared::id::MemberId;

/// Events that the page keeps; the oldest make room.
pub const MAX_EVENTS: usize = 2000;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chat {
    /// In the order of their numbers.
    pub events: Vec<Rc<RoomEvent>>,
    /// Messages of this page that the server has not taken yet, or would not.
    pub on_way: Vec<OnWay>,
    /// Messages of others that came while the panel was not open.
    pub unread: usize,
    /// What was before this page came was asked for.
    pub is_loaded: bool,
    /// Some of what was before is not kept any more.
    pub has_gap: bool,
}

/// A message that is not an event yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnWay {
    pub key: u32,
    pub text: String,
    /// Why the server would not take it.
    pub failed: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ChatAction {
    Happened(RoomEvent),
    /// A part of what is kept, which was asked for from behind the event `after`.
    Page {
        after: u64,
        events: Vec<RoomEvent>,
        first: u64,
    },
    /// The server has begun anew: nothing of before counts.
    Forget,
    /// What was before is being asked for.
    Load,
    Say {
        key: u32,
        text: String,
    },
    Said {
        key: u32,
        outcome: Result<(), String>,
    },
    Seen,
}

impl Chat {
    /// The number of the newest event that is known.
    pub fn last(&self) -> u64 {
        self.events.last().map_or(0, |event| event.number)
    }

    /// Applies an action. `me` is who this page is, `open` whether its messages are in sight.
    pub fn reduce(&mut self, action: ChatAction, me: Option<MemberId>, open: bool) {
        match action {
            ChatAction::Happened(event) => self.insert(event, me, open),
            ChatAction::Page { after, events, first } => {
                // What came in between is kept no longer, whether this page knows something of before or not.
                self.has_gap |= after + 1 < first;
                let is_news = after > 0 && !open;
                for event in events {
                    self.insert(event, me, !is_news);
                }
            }
            ChatAction::Forget => (self.events, self.has_gap) = (Vec::new(), false),
            ChatAction::Load => self.is_loaded = true,
            ChatAction::Say { key, text } => {
                self.on_way.retain(|message| message.key != key);
                self.on_way.push(OnWay { key, text, failed: None });
            }
            ChatAction::Said { key, outcome: Ok(()) } => self.on_way.retain(|message| message.key != key),
            ChatAction::Said { key, outcome: Err(why) } => {
                if let Some(message) = self.on_way.iter_mut().find(|message| message.key == key) {
                    message.failed = Some(why);
                }
            }
            ChatAction::Seen => self.unread = 0,
        }
    }

    fn insert(&mut self, event: RoomEvent, me: Option<MemberId>, seen: bool) {
        let at = self.events.partition_point(|known| known.number < event.number);
        if self.events.get(at).is_some_and(|known| known.number == event.number) {
            return;
        }
        if let What::Chat { text } = &event.what {
            if Some(event.by.member) != me {
                self.unread += usize::from(!seen);
            } else if let Some(at) = self.on_way.iter().position(|message| message.text == *text) {
                // It is told before its answer comes.
                self.on_way.remove(at);
            }
        }
        self.events.insert(at, Rc::new(event));
        if self.events.len() > MAX_EVENTS {
            self.events.remove(0);
            self.has_gap = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use embedenv_shared::event::Author;
    use embedenv_shared::id::Role;

    use super::*;

    const ME: Option<MemberId> = Some(MemberId(1));

    fn said(number: u64, member: u32) -> RoomEvent {
        let by = Author { member: MemberId(member), user: "A".into(), color: "#000000".into(), role: Role::Editor };
        RoomEvent { number, at: 0, by, what: What::Chat { text: number.to_string() } }
    }

    fn numbers(chat: &Chat) -> Vec<u64> {
        chat.events.iter().map(|event| event.number).collect()
    }

    #[test]
    fn what_comes_live_and_what_was_asked_for_become_one_list() {
        let mut chat = Chat::default();
        chat.reduce(ChatAction::Happened(said(7, 2)), ME, true);
        let page = ChatAction::Page { after: 0, events: vec![said(5, 2), said(6, 1), said(7, 2)], first: 5 };
        chat.reduce(page, ME, true);
        assert_eq!((numbers(&chat), chat.last(), chat.has_gap, chat.unread), (vec![5, 6, 7], 7, true, 0));
    }

    #[test]
    fn what_others_said_out_of_sight_is_counted_until_it_is_seen() {
        let mut chat = Chat::default();
        chat.reduce(ChatAction::Page { after: 0, events: vec![said(1, 2)], first: 1 }, ME, false);
        assert_eq!(chat.unread, 0, "what was before one came is no news");
        chat.reduce(ChatAction::Happened(said(2, 2)), ME, false);
        chat.reduce(ChatAction::Happened(said(3, 1)), ME, false);
        chat.reduce(ChatAction::Page { after: 3, events: vec![said(4, 3)], first: 1 }, ME, false);
        assert_eq!((chat.unread, chat.has_gap), (2, false));
        // So much was said while this page was away that the first of it is kept no longer.
        let mut away = chat.clone();
        away.reduce(ChatAction::Page { after: 4, events: vec![said(9, 3)], first: 9 }, ME, false);
        assert!(away.has_gap);
        chat.reduce(ChatAction::Seen, ME, true);
        chat.reduce(ChatAction::Happened(said(5, 2)), ME, true);
        assert_eq!(chat.unread, 0);
    }

    #[test]
    fn a_message_is_shown_until_it_is_an_event_and_stays_if_it_could_not_be_one() {
        let mut chat = Chat::default();
        for key in [1, 2] {
            chat.reduce(ChatAction::Say { key, text: "hello".to_owned() }, ME, true);
        }
        chat.reduce(ChatAction::Said { key: 1, outcome: Ok(()) }, ME, true);
        chat.reduce(ChatAction::Said { key: 2, outcome: Err("no".to_owned()) }, ME, true);
        assert_eq!(chat.on_way, [OnWay { key: 2, text: "hello".to_owned(), failed: Some("no".to_owned()) }]);
        chat.reduce(ChatAction::Say { key: 2, text: "hello".to_owned() }, ME, true);
        assert_eq!(chat.on_way[0].failed, None);
        chat.reduce(ChatAction::Say { key: 3, text: "7".to_owned() }, ME, true);
        chat.reduce(ChatAction::Happened(said(7, 1)), ME, true);
        assert_eq!(chat.on_way.iter().map(|message| message.key).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut chat = Chat::default();
        for number in 1..=MAX_EVENTS as u64 + 5 {
            chat.reduce(ChatAction::Happened(said(number, 1)), ME, true);
        }
        assert_eq!((chat.events.len(), chat.events[0].number, chat.has_gap), (MAX_EVENTS, 6, true));
    }
}
