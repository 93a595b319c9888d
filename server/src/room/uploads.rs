//! Files that members send in pieces. The sandbox keeps what has come of one, under the name that the client gave it, and
//! the server keeps nothing but which are under way on a connection: so an upload outlives both.
//!
//! A piece is answered once it is in the sandbox, and the next frame of the client is read after that. So no more than
//! one piece of a connection waits here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{UploadId, UploadKey};
use embedenv_shared::link::transfer::{AbortUpload, BeginUpload, FinishUpload, MAX_PIECE, Upload, UploadPiece};
use parking_lot::Mutex;

use super::Room;
use super::members::Member;

/// Uploads under way at once on one connection; one more is `limit_reached`.
pub const MAX_UPLOADS: usize = 8;
/// How long the sandbox may take to make room for a file, or to put it into its place.
const SLOW: Duration = Duration::from_secs(60);

/// What is under way on one connection: the name of each upload in the sandbox, and the length of its file.
#[derive(Debug, Default)]
pub struct Uploads(Mutex<HashMap<UploadId, (UploadKey, u64)>>);

impl Room {
    /// Begins an upload or goes on with it. Returns where it stands.
    pub async fn begin_upload(self: &Arc<Self>, member: &Member, id: UploadId, upload: Upload) -> Result<u64, Failure> {
        let taken = || {
            let uploads = member.uploads.0.lock();
            uploads.len() >= MAX_UPLOADS && !uploads.contains_key(&id)
        };
        if taken() {
            let message = format!("a connection has at most {MAX_UPLOADS} uploads under way");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        }
        let (key, size) = (upload.key.clone(), upload.size);
        let stands = self.wake().await?.call_within(SLOW, BeginUpload(upload)).await?;
        member.uploads.0.lock().insert(id, (key, size));
        Ok(stands.offset)
    }

    /// Takes the next bytes of an upload. Returns where it stands, or `None` if it has failed already, of which its client
    /// was told.
    pub async fn take_piece(
        self: &Arc<Self>,
        member: &Member,
        id: UploadId,
        offset: u64,
        bytes: &[u8],
    ) -> Option<Result<u64, Failure>> {
        let (key, size) = member.uploads.0.lock().get(&id).cloned()?;
        let take = async {
            if bytes.len() > MAX_PIECE {
                let message = format!("a piece of an upload has at most {MAX_PIECE} bytes");
                return Err(Failure::new(ErrorCode::TooLarge, message));
            }
            let piece = UploadPiece { key, size, offset, bytes: bytes.to_vec() };
            Ok(self.link().await?.call(piece).await?.offset)
        };
        let outcome = take.await;
        if outcome.is_err() {
            member.uploads.0.lock().remove(&id);
        }
        Some(outcome)
    }

    /// Puts an upload that is whole into its place; an open document of that file takes it up.
    pub async fn finish_upload(self: &Arc<Self>, member: &Member, upload: Upload) -> Result<(), Failure> {
        let link = self.wake().await?;
        self.documents.flush(self).await;
        let (project, path) = (upload.project.clone(), upload.path.clone());
        let key = upload.key.clone();
        link.call_within(SLOW, FinishUpload(upload)).await?;
        member.uploads.forget(&key);
        self.documents.reconcile_all(self, &project, &[path]).await;
        Ok(())
    }

    pub async fn abort_upload(self: &Arc<Self>, member: &Member, key: UploadKey) -> Result<(), Failure> {
        member.uploads.forget(&key);
        self.link().await?.call(AbortUpload { key }).await?;
        Ok(())
    }
}

impl Uploads {
    fn forget(&self, key: &UploadKey) {
        self.0.lock().retain(|_, (other, _)| other != key);
    }
}
