//! Files on their way into the room: which, how far, and what came in the way. The bytes are `workbench::transfer`'s.

use embedenv_shared::path::WorkspacePath;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transfers {
    /// What is not done yet, in the order it was begun.
    pub list: Vec<Transfer>,
    /// Files that are in their place, since the list was empty last, and their bytes.
    done: (usize, u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub id: u32,
    pub path: WorkspacePath,
    /// Bytes.
    pub size: u64,
    /// Bytes that are safe in the sandbox.
    pub sent: u64,
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Waiting,
    Sending,
    /// Something stands there already, and it is not known what is wished.
    Taken,
    Failed(String),
}

/// What is to be done with files whose names are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Replace,
    KeepBoth,
    Skip,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransfersAction {
    Added(Vec<Transfer>),
    Sent {
        id: u32,
        sent: u64,
    },
    Stage {
        id: u32,
        stage: Stage,
    },
    /// It goes to another place than was thought.
    Renamed {
        id: u32,
        path: WorkspacePath,
    },
    Done(u32),
    /// Given up, or looked at.
    Removed(u32),
}

impl Transfers {
    pub fn reduce(&mut self, action: TransfersAction) {
        match action {
            TransfersAction::Added(added) => {
                if self.list.is_empty() {
                    self.done = (0, 0);
                }
                self.list.extend(added);
            }
            TransfersAction::Sent { id, sent } => self.change(id, |transfer| transfer.sent = sent),
            TransfersAction::Stage { id, stage } => self.change(id, |transfer| transfer.stage = stage),
            TransfersAction::Renamed { id, path } => self.change(id, |transfer| transfer.path = path),
            TransfersAction::Done(id) => {
                if let Some(transfer) = self.list.iter().find(|transfer| transfer.id == id) {
                    self.done = (self.done.0 + 1, self.done.1 + transfer.size);
                }
                self.list.retain(|transfer| transfer.id != id);
            }
            TransfersAction::Removed(id) => self.list.retain(|transfer| transfer.id != id),
        }
    }

    fn change(&mut self, id: u32, change: impl FnOnce(&mut Transfer)) {
        if let Some(transfer) = self.list.iter_mut().find(|transfer| transfer.id == id) {
            change(transfer);
        }
    }

    /// How much of everything is there, in hundredths. Every file counts for a little, however short it is.
    pub fn percent(&self) -> u64 {
        const EACH: u64 = 4096;
        let live = self.list.iter().filter(|transfer| !matches!(transfer.stage, Stage::Failed(_)));
        let (mut sent, mut whole) = (self.done.1 + EACH * self.done.0 as u64, self.done.1 + EACH * self.done.0 as u64);
        for transfer in live {
            sent += transfer.sent;
            whole += transfer.size + EACH;
        }
        sent.saturating_mul(100).checked_div(whole).unwrap_or(100)
    }

    /// Files that are still to be sent, and those that could not be.
    pub fn counts(&self) -> (usize, usize) {
        let failed = self.list.iter().filter(|transfer| matches!(transfer.stage, Stage::Failed(_))).count();
        (self.list.len() - failed, failed)
    }

    /// Whether anything is still to be sent.
    pub fn is_busy(&self) -> bool {
        self.list.iter().any(|transfer| !matches!(transfer.stage, Stage::Failed(_)))
    }

    pub fn taken(&self) -> usize {
        self.list.iter().filter(|transfer| transfer.stage == Stage::Taken).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(id: u32, size: u64) -> Transfer {
        let path = WorkspacePath::parse(&format!("f{id}")).unwrap();
        Transfer { id, path, size, sent: 0, stage: Stage::Waiting }
    }

    #[test]
    fn the_whole_goes_on_with_each_file_and_begins_anew_with_the_next_list() {
        let mut transfers = Transfers::default();
        transfers.reduce(TransfersAction::Added(vec![transfer(1, 1_000_000), transfer(2, 1_000_000)]));
        assert_eq!((transfers.counts(), transfers.percent()), ((2, 0), 0));
        transfers.reduce(TransfersAction::Sent { id: 1, sent: 500_000 });
        assert_eq!(transfers.percent(), 24);
        transfers.reduce(TransfersAction::Done(1));
        assert_eq!((transfers.counts(), transfers.percent()), ((1, 0), 50));
        transfers.reduce(TransfersAction::Stage { id: 2, stage: Stage::Failed("no".into()) });
        assert_eq!(transfers.counts(), (0, 1));
        transfers.reduce(TransfersAction::Removed(2));
        transfers.reduce(TransfersAction::Added(vec![transfer(3, 10)]));
        assert_eq!(transfers.percent(), 0);
    }
}
