//! Searches of members through their project's files: begun in order, pulled from the agent while the asker takes what
//! came before, and ended when they are cancelled or their connection is gone. Replacing is a command like others and
//! is carried out in order.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FrameId;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::id::SearchId;
use embedenv_shared::link::search::{Forget, Found, MAX_REPLACE, Pull, Pulled, Replace, Seek, Sought};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use embedenv_shared::search::{Cut, MAX_REPLACED, Outcome, Replacing, Scope, Summary};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Room;
use super::members::{Member, SeatId};
use super::outbox::Outbox;
use crate::link::Link;

/// Searches of one room under way at once; one more is `limit_reached`.
const MAX_SEARCHES: usize = 16;
/// Searches of one room that the agent works on at once; the others wait their turn, so that it has hands free for files.
const AT_WORK: usize = 2;

/// A search is under way for at most this long; an agent that never ends one is not asked for ever.
const MAX_TIME: Duration = Duration::from_secs(300);

/// The searches of a room that are under way.
#[derive(Debug)]
pub struct Searches {
    permits: Arc<Semaphore>,
    hands: Semaphore,
    next: AtomicU32,
    /// What ends one, by who asked and under which name.
    named: Mutex<HashMap<(SeatId, FrameId), (SearchId, CancellationToken)>>,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MAX_SEARCHES)),
            hands: Semaphore::new(AT_WORK),
            next: AtomicU32::new(1),
            named: Mutex::default(),
        }
    }
}

/// Who asked, and under which name.
struct Asker {
    outbox: Arc<Outbox>,
    id: Option<FrameId>,
}

impl Room {
    /// Starts a search. Its answer goes to the member's outbox: what was found, and `search-end`, or one `error` instead of
    /// that.
    pub fn start_search(
        self: &Arc<Self>,
        member: &Member,
        id: Option<FrameId>,
        project: ProjectName,
        scope: Scope,
        what: Sought,
    ) -> Result<(), Failure> {
        let Ok(permit) = self.searches.permits.clone().try_acquire_owned() else {
            let message = format!("the room has {MAX_SEARCHES} searches under way already");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        };
        let search = SearchId(self.searches.next.fetch_add(1, Ordering::Relaxed));
        let cancelled = CancellationToken::new();
        let name = id.clone().map(|id| (member.id, id));
        if let Some(name) = &name {
            // Another search of the same name can't be cancelled any more, and goes on.
            self.searches.named.lock().insert(name.clone(), (search, cancelled.clone()));
        }
        let asker = Asker { outbox: member.outbox.clone(), id };
        let room = self.clone();
        self.spawn("search", async move {
            let seek = Seek { search, project, scope, what };
            asker.tell_end(room.search(seek, &asker, &cancelled).await);
            if let Some(name) = name {
                let mut named = room.searches.named.lock();
                if named.get(&name).is_some_and(|(named, _)| *named == search) {
                    named.remove(&name);
                }
            }
            drop(permit);
        });
        Ok(())
    }

    /// Ends a search of this connection's, if there is one of that name.
    pub fn cancel_search(&self, member: &Member, id: FrameId) {
        if let Some((_, cancelled)) = self.searches.named.lock().remove(&(member.id, id)) {
            cancelled.cancel();
        }
    }

    async fn search(
        self: &Arc<Self>,
        seek: Seek,
        asker: &Asker,
        cancelled: &CancellationToken,
    ) -> Result<Summary, Failure> {
        let search = seek.search;
        let link = self.link().await?;
        // What is still waiting to be saved is found, too.
        self.documents.flush(self).await;
        link.call(seek).await?;
        let begun = Instant::now();
        loop {
            let pulled = self.pull(&link, search, asker, cancelled).await?;
            asker.tell(pulled.found);
            if let Some(summary) = pulled.end {
                return Ok(summary);
            }
            if begun.elapsed() >= MAX_TIME {
                link.call(Forget { search }).await?;
                return Ok(Summary { cut: Some(Cut::Time), ..Summary::default() });
            }
            // A connection that reads slowly slows its own search down.
            tokio::select! {
                _ = asker.outbox.ready() => {}
                () = cancelled.cancelled() => {}
            }
        }
    }

    /// Has the agent work on a search for a moment, and waits for that also when nobody wants it any more: what it does
    /// then counts as long as it lasts.
    async fn pull(
        &self,
        link: &Link,
        search: SearchId,
        asker: &Asker,
        cancelled: &CancellationToken,
    ) -> Result<Pulled, Failure> {
        let unwanted = async {
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = asker.outbox.closed() => {}
            }
        };
        tokio::pin!(unwanted);
        let over = || Pulled {
            found: Found::Text(Vec::new()),
            end: Some(Summary { cut: Some(Cut::Cancelled), ..Summary::default() }),
        };
        let _hand = tokio::select! {
            biased;
            () = &mut unwanted => {
                link.call(Forget { search }).await?;
                return Ok(over());
            }
            hand = self.searches.hands.acquire() => hand,
        };
        let pull = link.call(Pull { search });
        tokio::pin!(pull);
        tokio::select! {
            pulled = &mut pull => pulled,
            () = &mut unwanted => {
                link.call(Forget { search }).await?;
                // Whether it found something meanwhile, or was over: nobody wants it.
                let _ = pull.await;
                Ok(over())
            }
        }
    }

    /// Replaces hits in files, one after another, telling what became of each.
    pub async fn replace(
        self: &Arc<Self>,
        member: &Member,
        id: Option<FrameId>,
        replacing: Replacing,
    ) -> Result<(usize, usize), Failure> {
        let Replacing { project, query, with, files } = replacing;
        if files.len() > MAX_REPLACED {
            let message = format!("one request replaces in up to {MAX_REPLACED} files");
            return Err(Failure::new(ErrorCode::TooLarge, message));
        }
        let link = self.wake().await?;
        // Otherwise a file would be another than its document.
        self.documents.flush(self).await;
        let (mut changed, mut hits) = (0, 0);
        for portion in files.chunks(MAX_REPLACE) {
            let (query, with, files) = (query.clone(), with.clone(), portion.to_vec());
            let replace = Replace(Replacing { project: project.clone(), query, with, files });
            let outcomes = link.call(replace).await?.outcomes;
            let written = |outcome: &&Outcome| outcome.failure.is_none() && outcome.hits > 0;
            let paths: Vec<WorkspacePath> =
                outcomes.iter().filter(written).map(|outcome| outcome.path.clone()).collect();
            changed += paths.len();
            hits += outcomes.iter().map(|outcome| outcome.hits as usize).sum::<usize>();
            self.documents.reconcile_all(self, &project, &paths).await;
            member.outbox.ready().await;
            member.outbox.send(&ServerFrame::Replaced { id: id.clone(), files: outcomes });
        }
        Ok((changed, hits))
    }
}

impl Asker {
    fn tell(&self, found: Found) {
        let id = self.id.clone();
        match found {
            Found::Text(files) if !files.is_empty() => self.outbox.send(&ServerFrame::Found { id, files }),
            Found::Files(folders) if !folders.is_empty() => self.outbox.send(&ServerFrame::Files { id, folders }),
            Found::Text(_) | Found::Files(_) => {}
        }
    }

    fn tell_end(&self, outcome: Result<Summary, Failure>) {
        let id = self.id.clone();
        self.outbox.send(&match outcome {
            Ok(summary) => ServerFrame::SearchEnd { id, summary },
            Err(Failure { code, message }) => ServerFrame::Error { code, message, id },
        });
    }
}
