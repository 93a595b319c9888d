//! File commands of a room: each goes to the agent, and open documents follow what it did.
//!
//! An open document is written to its file before anything replaces, moves or removes that file, so that no edit is
//! lost on the way.

use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::{
    Create, Delete, Item, List, Listing, MAX_READ, Plant, Projects, Read, Rename, Unwatch, Write,
};
use embedenv_shared::link::transfer::{Copy, Move};
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use embedenv_shared::tree::Plan;

use super::Room;
use super::members::Member;

/// How long a copy may take; the agent gives up a little sooner.
const COPY: Duration = Duration::from_secs(120);

impl Room {
    pub async fn plant(self: &Arc<Self>, project: ProjectName, plan: Plan) -> Result<(), Failure> {
        let link = self.wake().await?;
        self.documents.flush(self).await;
        let paths: Vec<WorkspacePath> = plan.files.iter().map(|file| file.path.clone()).collect();
        link.call(Plant { project: project.clone(), plan }).await?;
        self.documents.reconcile_all(self, &project, &paths).await;
        Ok(())
    }

    pub async fn create(
        self: &Arc<Self>,
        project: ProjectName,
        path: WorkspacePath,
        item: Item,
    ) -> Result<(), Failure> {
        self.wake().await?.call(Create { project, path, item }).await?;
        Ok(())
    }

    pub async fn write(
        self: &Arc<Self>,
        project: ProjectName,
        path: WorkspacePath,
        content: Vec<u8>,
    ) -> Result<(), Failure> {
        let link = self.wake().await?;
        self.documents.flush(self).await;
        link.call(Write { project: project.clone(), path: path.clone(), content, expected: None }).await?;
        self.documents.reconcile_all(self, &project, &[path]).await;
        Ok(())
    }

    pub async fn rename(
        self: &Arc<Self>,
        project: ProjectName,
        path: WorkspacePath,
        name: EntryName,
    ) -> Result<(), Failure> {
        let link = self.wake().await?;
        let to = path.with_name(&name)?;
        self.documents.flush(self).await;
        let _held = self.documents.hold(self, &project, &path, &to).await;
        link.call(Rename { project: project.clone(), path: path.clone(), name }).await?;
        self.documents.moved(self, &project, &path, &to);
        Ok(())
    }

    /// Gives an entry another place in its project; open documents follow.
    pub async fn relocate(
        self: &Arc<Self>,
        project: ProjectName,
        from: WorkspacePath,
        to: WorkspacePath,
    ) -> Result<(), Failure> {
        let link = self.wake().await?;
        self.documents.flush(self).await;
        let _held = self.documents.hold(self, &project, &from, &to).await;
        link.call(Move { project: project.clone(), from: from.clone(), to: to.clone() }).await?;
        self.documents.moved(self, &project, &from, &to);
        Ok(())
    }

    pub async fn copy(
        self: &Arc<Self>,
        project: ProjectName,
        from: WorkspacePath,
        to: WorkspacePath,
    ) -> Result<(), Failure> {
        let link = self.wake().await?;
        self.documents.flush(self).await;
        link.call_within(COPY, Copy { project, from, to }).await?;
        Ok(())
    }

    pub async fn delete(self: &Arc<Self>, project: ProjectName, path: WorkspacePath) -> Result<(), Failure> {
        let link = self.wake().await?;
        link.call(Delete { project: project.clone(), path: path.clone() }).await?;
        self.documents.removed(&project, &path, "The file was deleted.");
        Ok(())
    }

    pub async fn list(
        self: &Arc<Self>,
        member: &Member,
        project: ProjectName,
        path: WorkspacePath,
        after: Option<u64>,
        watch: bool,
    ) -> Result<Listing, Failure> {
        if !watch {
            return self.entries(project, path, after).await;
        }
        let link = self.link().await?;
        self.watches.add(member.id, project.clone(), path.clone());
        let listing = link.call(List { project: project.clone(), path: path.clone(), after, watch }).await;
        if listing.is_err() {
            self.watches.remove(member.id, &project, &path);
        }
        listing
    }

    /// One page of a folder, which nobody watches for it.
    pub async fn entries(
        self: &Arc<Self>,
        project: ProjectName,
        path: WorkspacePath,
        after: Option<u64>,
    ) -> Result<Listing, Failure> {
        self.link().await?.call(List { project, path, after, watch: false }).await
    }

    pub async fn projects(self: &Arc<Self>) -> Result<Vec<ProjectName>, Failure> {
        Ok(self.link().await?.call(Projects).await?.projects)
    }

    pub async fn unwatch(
        self: &Arc<Self>,
        member: &Member,
        project: ProjectName,
        path: WorkspacePath,
    ) -> Result<(), Failure> {
        if self.watches.remove(member.id, &project, &path) && !self.documents.any_in(&project, &path) {
            self.link().await?.call(Unwatch { project, path }).await?;
        }
        Ok(())
    }

    /// A whole file with all that was typed into it, up to the length of a client's message.
    pub async fn read_latest(self: &Arc<Self>, project: ProjectName, path: WorkspacePath) -> Result<Vec<u8>, Failure> {
        self.wake().await?;
        self.documents.flush(self).await;
        self.read(project, path).await
    }

    /// A whole file, up to the length of a client's message.
    pub async fn read(self: &Arc<Self>, project: ProjectName, path: WorkspacePath) -> Result<Vec<u8>, Failure> {
        let most = self.max_message as u64;
        let link = self.link().await?;
        let mut bytes = Vec::new();
        loop {
            let offset = bytes.len() as u64;
            let read = Read { project: project.clone(), path: path.clone(), offset, length: MAX_READ };
            let content = link.call(read).await?;
            if content.version.size > most {
                let message = format!("{path} has {} bytes, and {most} can be read at once", content.version.size);
                return Err(Failure::new(ErrorCode::TooLarge, message));
            }
            if content.bytes.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(&content.bytes);
            if bytes.len() as u64 > most {
                return Err(Failure::new(ErrorCode::TooLarge, format!("{path} grew while it was read")));
            }
        }
    }
}
