//! The writing end of one socket: messages in order, a ping among them now and then, and an end to a peer that takes
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::frame::ServerFrame;
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

use super::pulse::Pulse;

/// How often a peer is asked whether it lives, also while it is sent much.
const PING: Duration = Duration::from_secs(15);

/// The connection has ended, or must.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended;

pub(super) struct Writer<'a, S> {
    sink: &'a mut SplitSink<WebSocketStream<S>, Message>,
    pulse: Arc<Pulse>,
    ping_due: Instant,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Writer<'a, S> {
    pub(super) fn new(sink: &'a mut SplitSink<WebSocketStream<S>, Message>, pulse: Arc<Pulse>) -> Self {
        Self { sink, pulse, ping_due: Instant::now() + PING }
    }

    /// When the peer is to be asked whether it lives, if nothing is sent before.
    pub(super) fn ping_due(&self) -> Instant {
        self.ping_due
    }

    /// Asks the peer whether it lives, if it is time.
    pub(super) async fn ping(&mut self) -> Result<(), Ended> {
        if Instant::now() < self.ping_due {
            return Ok(());
        }
        self.ping_due = Instant::now() + PING;
        going_on(&self.pulse, self.sink.send(Message::Ping(Bytes::new()))).await
    }

    /// As [`Self::ping`], to a full client whose own pings wait behind a frame that is being carried out: browsers answer
    /// pings of the protocol and tell their page nothing of them.
    pub(super) async fn reassure(&mut self) -> Result<(), Ended> {
        if Instant::now() >= self.ping_due {
            self.send_frame(&ServerFrame::Pong { id: None }).await?;
        }
        Ok(())
    }

    pub(super) async fn send(&mut self, message: Message) -> Result<(), Ended> {
        self.ping().await?;
        going_on(&self.pulse, self.sink.send(message)).await
    }

    pub(super) async fn send_frame(&mut self, frame: &ServerFrame) -> Result<(), Ended> {
        self.send(Message::text(frame.to_text())).await
    }

    /// Puts a message where [`Self::flush`] sends it with others.
    pub(super) async fn feed(&mut self, message: Message) -> Result<(), Ended> {
        self.ping().await?;
        going_on(&self.pulse, self.sink.feed(message)).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        going_on(&self.pulse, self.sink.flush()).await
    }
}

/// Sends for as long as bytes leave.
async fn going_on(pulse: &Pulse, sending: impl Future<Output = Result<(), tungstenite::Error>>) -> Result<(), Ended> {
    pulse.begin();
    tokio::select! {
        biased;
        sent = sending => sent.map_err(|_| Ended),
        () = pulse.stalled() => Err(Ended),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
    use tokio::time::sleep;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::super::pulse::Watched;
    use super::*;

    const LONG: usize = 2 * 1024 * 1024;
    const STEP: usize = 64 * 1024;

    async fn socket(stall: Duration) -> (WebSocketStream<Watched<DuplexStream>>, Arc<Pulse>, DuplexStream) {
        let (ours, theirs) = duplex(STEP);
        let pulse = Pulse::new(stall);
        let watched = Watched::new(ours, pulse.clone());
        (WebSocketStream::from_raw_socket(watched, Role::Server, None).await, pulse, theirs)
    }

    #[tokio::test]
    async fn a_slow_reader_gets_a_long_message_for_as_long_as_it_reads() {
        let stall = Duration::from_secs(1);
        let (socket, pulse, mut theirs) = socket(stall).await;
        let (mut sink, _stream) = socket.split();
        let began = Instant::now();
        let reading = async {
            let (mut read, mut buffer) = (0, vec![0; STEP]);
            while read < LONG {
                // So slow is this reader; nothing waits for the time to pass.
                sleep(stall / 20).await;
                read += theirs.read(&mut buffer).await.unwrap();
            }
        };
        let mut writer = Writer::new(&mut sink, pulse.clone());
        let (sent, ()) = tokio::join!(writer.send(Message::binary(vec![0; LONG])), reading);
        assert_eq!(sent, Ok(()));
        assert!(began.elapsed() > stall, "it took longer than a peer may be still");
        assert!(pulse.made_room() > began, "who takes what waits is alive");
    }

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (socket, pulse, _theirs) = socket(Duration::from_millis(50)).await;
        let (mut sink, _stream) = socket.split();
        let mut writer = Writer::new(&mut sink, pulse);
        assert_eq!(writer.send(Message::binary(vec![0; LONG])).await, Err(Ended));
    }

    #[tokio::test]
    async fn a_ping_goes_between_messages_that_never_pause() {
        let (socket, pulse, theirs) = socket(Duration::from_secs(5)).await;
        let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let (mut sink, _stream) = socket.split();
        let mut writer = Writer::new(&mut sink, pulse);
        writer.send(Message::text("one")).await.unwrap();
        writer.ping_due = Instant::now();
        writer.send(Message::text("two")).await.unwrap();
        let pong = Message::text(ServerFrame::Pong { id: None }.to_text());
        writer.reassure().await.unwrap();
        writer.ping_due = Instant::now();
        writer.reassure().await.unwrap();
        let ping = || Message::Ping(Bytes::new());
        for expected in [Message::text("one"), ping(), Message::text("two"), ping(), pong] {
            assert_eq!(client.next().await.unwrap().unwrap(), expected);
        }
    }
}
