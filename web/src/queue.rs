//! Commands on their way: numbered, in order, each kept until the server has said that it was carried out, so that a
//! connection that breaks loses none and carries none out twice. Sends nothing itself.

use std::collections::{BTreeSet, VecDeque};

use embedenv_shared::frame::BinaryFrame;

/// Commands that may wait.
pub const MOST: usize = 10_000;
/// Bytes that they may have together.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What goes over the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// More waits than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

#[derive(Debug)]
struct Entry {
    seq: u64,
    message: Message,
    /// It was handed to a socket, and may have arrived.
    is_sent: bool,
}

#[derive(Debug, Default)]
pub struct Queue {
    last: u64,
    bytes: usize,
    entries: VecDeque<Entry>,
}

impl Queue {
    /// Numbers a command and keeps it; `make` makes its message of the number.
    pub fn push(&mut self, make: impl FnOnce(u64) -> Message) -> Result<u64, Full> {
        let seq = self.last + 1;
        let message = make(seq);
        if self.entries.len() >= MOST || self.bytes + message.len() > MOST_BYTES {
            return Err(Full);
        }
        self.last = seq;
        self.bytes += message.len();
        self.entries.push_back(Entry { seq, message, is_sent: false });
        Ok(seq)
    }

    /// Hands every command that was not sent yet to `send`, in order, until it says that it can't.
    pub fn send(&mut self, mut send: impl FnMut(&Message) -> bool) {
        for entry in self.entries.iter_mut().filter(|entry| !entry.is_sent) {
            entry.is_sent = send(&entry.message);
            if !entry.is_sent {
                return;
            }
        }
    }

    /// The server carried out everything up to this number.
    pub fn executed(&mut self, seq: u64) {
        self.last = self.last.max(seq);
        while self.entries.front().is_some_and(|entry| entry.seq <= seq)
            && let Some(entry) = self.entries.pop_front()
        {
            self.bytes -= entry.message.len();
        }
    }

    /// Another connection stands, and the server knows this client: what it has not carried out is sent again.
    pub fn resumed(&mut self, executed: u64) {
        self.executed(executed);
        for entry in &mut self.entries {
            entry.is_sent = false;
        }
    }

    /// Another connection stands, on which this client is somebody new. What was sent before may have been carried out or
    /// not: it is given up, and its numbers are returned, and how many things that is.
    pub fn renewed(&mut self) -> (Vec<u64>, usize) {
        let (sent, waiting) = self.entries.drain(..).partition::<VecDeque<_>, _>(|entry| entry.is_sent);
        self.bytes = waiting.iter().map(|entry| entry.message.len()).sum();
        self.entries = waiting;
        (sent.iter().map(|entry| entry.seq).collect(), things(&sent))
    }

    /// Gives up what is for nothing any more.
    pub fn retain(&mut self, keep: impl Fn(&Message) -> bool) {
        self.entries.retain(|entry| keep(&entry.message));
        self.bytes = self.entries.iter().map(|entry| entry.message.len()).sum();
    }

    pub fn has(&self, seq: u64) -> bool {
        self.entries.iter().any(|entry| entry.seq == seq)
    }

    /// How many things wait, as a person counts them: a line that is typed into a terminal is one, however many letters it
    /// has and whether or not it is finished.
    pub fn things(&self) -> usize {
        things(&self.entries)
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn things(entries: &VecDeque<Entry>) -> usize {
    // Terminals in which a line is begun.
    let mut begun = BTreeSet::new();
    let mut things = 0;
    for entry in entries {
        let typed = match &entry.message {
            Message::Text(_) => None,
            Message::Binary(bytes) => match BinaryFrame::decode(bytes) {
                Ok(BinaryFrame::NumberedInput { terminal, bytes, .. }) => Some((terminal, bytes)),
                _ => None,
            },
        };
        let Some((terminal, bytes)) = typed else {
            things += 1;
            continue;
        };
        things += usize::from(begun.insert(terminal));
        if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            begun.remove(&terminal);
        }
    }
    things
}

#[cfg(test)]
mod tests {
    use embedenv_shared::id::SessionId;

    use super::*;

    fn text(seq: u64) -> Message {
        Message::Text(seq.to_string())
    }

    fn sent(queue: &mut Queue) -> Vec<Message> {
        let mut sent = Vec::new();
        queue.send(|message| {
            sent.push(message.clone());
            true
        });
        sent
    }

    #[test]
    fn what_was_not_carried_out_is_sent_again_in_order_and_the_rest_is_not() {
        let mut queue = Queue::default();
        for seq in 1..=4 {
            assert_eq!(queue.push(text), Ok(seq));
        }
        assert_eq!(sent(&mut queue), [text(1), text(2), text(3), text(4)]);
        assert_eq!(sent(&mut queue), []);
        queue.executed(1);
        queue.push(text).unwrap();
        queue.resumed(3);
        assert_eq!(sent(&mut queue), [text(4), text(5)]);
        queue.executed(5);
        assert!(queue.is_empty() && queue.bytes == 0);
    }

    #[test]
    fn a_socket_that_takes_no_more_keeps_the_order() {
        let mut queue = Queue::default();
        queue.push(text).unwrap();
        queue.push(text).unwrap();
        let mut count = 0;
        queue.send(|_| {
            count += 1;
            count < 2
        });
        assert_eq!(sent(&mut queue), [text(2)]);
    }

    #[test]
    fn somebody_new_does_not_send_again_what_may_have_been_carried_out() {
        let mut queue = Queue::default();
        queue.push(text).unwrap();
        sent(&mut queue);
        queue.push(text).unwrap();
        assert_eq!(queue.renewed(), (vec![1], 1));
        assert_eq!(sent(&mut queue), [text(2)]);
    }

    #[test]
    fn numbers_go_on_from_what_the_server_has_counted() {
        let mut queue = Queue::default();
        queue.resumed(57);
        assert_eq!(queue.push(text), Ok(58));
    }

    #[test]
    fn more_than_may_wait_is_refused_and_takes_no_number() {
        let mut queue = Queue::default();
        assert_eq!(queue.push(|_| Message::Binary(vec![0; MOST_BYTES])), Ok(1));
        assert_eq!(queue.push(text), Err(Full));
        queue.retain(|_| false);
        assert_eq!((queue.push(text), queue.things(), queue.has(2)), (Ok(2), 1, true));
    }

    #[test]
    fn a_line_that_is_typed_is_one_thing_however_many_letters_it_has() {
        let mut queue = Queue::default();
        let mut typed = |terminal, letters: &str| {
            for letter in letters.as_bytes() {
                let terminal = SessionId(terminal);
                let bytes = std::slice::from_ref(letter);
                let frame = |seq| Message::Binary(BinaryFrame::NumberedInput { terminal, seq, bytes }.encode());
                queue.push(frame).unwrap();
            }
            queue.things()
        };
        assert_eq!(typed(1, "l"), 1);
        assert_eq!(typed(1, "s"), 1);
        assert_eq!(typed(2, "pwd"), 2);
        assert_eq!(typed(1, "\r"), 2);
        assert_eq!(typed(1, "make\r"), 3);
        queue.push(text).unwrap();
        assert_eq!(queue.things(), 4);
    }
}
