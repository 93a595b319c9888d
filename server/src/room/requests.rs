//! HTTP requests of members to servers inside their sandbox, and commands without a terminal: started in order, answered
//! when they are, each to the member that asked.

use std::sync::Arc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::{Curl, FrameId};
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::link::pipe::{Pipe, Piped};
use tokio::sync::Semaphore;

use super::Room;
use super::curl::{self, Piece, Reply, Request};
use super::members::Member;
use super::outbox::Outbox;

/// Requests of one room under way at once, each of which may hold [`curl::HOLD`] bytes; one more is `limit_reached`.
const MAX_REQUESTS: usize = 64;

/// The requests of a room that are under way.
#[derive(Debug)]
pub struct Requests(Arc<Semaphore>);

impl Default for Requests {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_REQUESTS)))
    }
}

/// Who asked, and under which name.
struct Asker {
    outbox: Arc<Outbox>,
    full: bool,
    id: Option<FrameId>,
}

impl Room {
    /// Starts a request. Its answer goes to the member's outbox: chunks and `end`, or one `error` instead of that.
    pub fn start_curl(self: &Arc<Self>, member: &Member, id: Option<FrameId>, curl: Curl) -> Result<(), Failure> {
        let request = Request::check(curl)?;
        let Ok(permit) = self.requests.0.clone().try_acquire_owned() else {
            let message = format!("the room has {MAX_REQUESTS} requests under way already");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        };
        let asker = Asker { outbox: member.outbox.clone(), full: member.is_full(), id };
        let room = self.clone();
        self.spawn("request", async move {
            tokio::select! {
                outcome = room.request(request, &asker) => asker.tell_end(outcome),
                // Nobody is there any more to be told.
                () = asker.outbox.closed() => {}
            }
            drop(permit);
        });
        Ok(())
    }

    /// Starts a command without a terminal. `piped`, or an `error`, goes to the member's outbox.
    pub fn start_pipe(self: &Arc<Self>, member: &Member, id: Option<FrameId>, pipe: Pipe) -> Result<(), Failure> {
        let Ok(permit) = self.requests.0.clone().try_acquire_owned() else {
            let message = format!("the room has {MAX_REQUESTS} requests under way already");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        };
        let (room, outbox) = (self.clone(), member.outbox.clone());
        self.spawn("pipe", async move {
            tokio::select! {
                outcome = room.pipe(pipe) => outbox.send(&match outcome {
                    Ok(Piped { code, output, errors }) => {
                        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                        ServerFrame::Piped { id, code, output: text(output), errors: text(errors) }
                    }
                    Err(Failure { code, message }) => ServerFrame::Error { code, message, id },
                }),
                // Nobody is there any more to be told.
                () = outbox.closed() => {}
            }
            drop(permit);
        });
        Ok(())
    }

    async fn pipe(self: &Arc<Self>, pipe: Pipe) -> Result<Piped, Failure> {
        let link = self.link().await?;
        self.documents.flush(self).await;
        link.call(pipe).await
    }

    async fn request(self: &Arc<Self>, request: Request, asker: &Asker) -> Result<(), Failure> {
        let stream = self.link().await?.dial(request.port, request.family).await?;
        let mut reply = curl::fetch(stream, request).await?;
        asker.tell_head(&mut reply);
        while let Some(piece) = reply.next().await {
            asker.tell(piece?).await;
        }
        Ok(())
    }
}

impl Asker {
    fn tell_head(&self, reply: &mut Reply) {
        if self.full {
            let headers = std::mem::take(&mut reply.headers);
            self.outbox.send(&ServerFrame::Response { id: self.id.clone(), status: reply.status, headers });
        }
    }

    /// Waits until the connection has taken enough of what came before, so that a slow one slows the server down.
    async fn tell(&self, piece: Piece) {
        self.outbox.ready().await;
        let Piece { content, encoding } = piece;
        self.outbox.send(&ServerFrame::Chunk { content, encoding, id: self.id.clone() });
    }

    fn tell_end(&self, outcome: Result<(), Failure>) {
        let id = self.id.clone();
        self.outbox.send(&match outcome {
            Ok(()) => ServerFrame::End { id },
            Err(Failure { code, message }) => ServerFrame::Error { code, message, id },
        });
    }
}
