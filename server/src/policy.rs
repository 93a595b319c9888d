//! The one table of what each role may send, read by every door into a room.
//!
//! A request is given the capability it needs here and nowhere else; whoever adds a request must add its row, because
//! the matches are exhaustive.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::{Command, FullRequest};
use embedenv_shared::id::Role;

/// What a request does to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// See files, output and people.
    Watch,
    /// Change files, run programs, type into them.
    Work,
    /// Say something to everybody.
    Speak,
    /// Hand out keys and links up to one's own role.
    Invite,
    /// Let anybody in without a key.
    Publish,
}

impl Capability {
    pub const ALL: [Self; 5] = [Self::Watch, Self::Work, Self::Speak, Self::Invite, Self::Publish];

    /// The table.
    pub const fn granted_to(self, role: Role) -> bool {
        match (self, role) {
            (Self::Watch, Role::Viewer | Role::Editor | Role::Owner) => true,
            (Self::Work | Self::Speak | Self::Invite, Role::Viewer) => false,
            (Self::Work | Self::Speak | Self::Invite, Role::Editor | Role::Owner) => true,
            (Self::Publish, role) => matches!(role, Role::Owner),
        }
    }

    /// `forbidden`, unless the role has it.
    pub fn check(self, role: Role) -> Result<(), Failure> {
        if self.granted_to(role) {
            return Ok(());
        }
        let message = match self {
            Self::Watch => "your role may not see this room",
            Self::Work => "your role watches this room and changes nothing",
            Self::Speak => "your role reads the chat of this room and does not write in it",
            Self::Invite => "your role may not hand out keys",
            Self::Publish => "only the room's owner lets in anybody",
        };
        Err(Failure::new(ErrorCode::Forbidden, message))
    }

    pub const fn of_command(command: &Command) -> Self {
        match command {
            Command::Project(_)
            | Command::Create { .. }
            | Command::Write { .. }
            | Command::Rename { .. }
            | Command::Delete { .. }
            | Command::Shell(_)
            | Command::Curl(_) => Self::Work,
        }
    }

    pub const fn of_request(request: &FullRequest) -> Self {
        match request {
            FullRequest::Ping
            | FullRequest::Projects
            | FullRequest::List { .. }
            | FullRequest::Unwatch { .. }
            | FullRequest::Read { .. }
            | FullRequest::Download { .. }
            | FullRequest::Open { .. }
            | FullRequest::Close { .. }
            | FullRequest::FirstText { .. }
            | FullRequest::TerminalAttach { .. }
            | FullRequest::TerminalDetach { .. }
            | FullRequest::DocumentToken { .. }
            | FullRequest::Events { .. }
            | FullRequest::Find { .. }
            | FullRequest::Files { .. }
            | FullRequest::Cancel { .. }
            | FullRequest::Preview { .. }
            | FullRequest::Previews
            | FullRequest::Here { .. } => Self::Watch,
            FullRequest::Save { .. }
            | FullRequest::LineEnding { .. }
            | FullRequest::Replace(_)
            | FullRequest::Pipe { .. }
            | FullRequest::Move { .. }
            | FullRequest::Copy { .. }
            | FullRequest::Upload { .. }
            | FullRequest::UploadFinish { .. }
            | FullRequest::UploadAbort { .. }
            | FullRequest::TerminalOpen { .. }
            | FullRequest::TerminalResize { .. }
            | FullRequest::TerminalLock { .. }
            | FullRequest::TerminalTitle { .. }
            | FullRequest::TerminalSignal { .. }
            | FullRequest::TerminalClose { .. }
            | FullRequest::ProcessStart { .. }
            | FullRequest::ProcessInput { .. }
            | FullRequest::SandboxStart => Self::Work,
            FullRequest::Chat { .. } => Self::Speak,
            FullRequest::KeyMint { .. } | FullRequest::Keys | FullRequest::KeyRevoke { .. } => Self::Invite,
            FullRequest::PreviewShare { .. } | FullRequest::PreviewRevoke { .. } => Self::Invite,
            FullRequest::PortOpen { .. } | FullRequest::PortClose { .. } => Self::Publish,
        }
    }
}

/// A key may be minted of a role up to one's own.
pub fn check_mint(by: Role, role: Role) -> Result<(), Failure> {
    Capability::Invite.check(by)?;
    if role > by {
        return Err(Failure::new(ErrorCode::Forbidden, "your role may not hand out keys of that role"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_watches_and_nothing_else() {
        let granted = |role| Capability::ALL.map(|capability| capability.granted_to(role));
        assert_eq!(granted(Role::Viewer), [true, false, false, false, false]);
        assert_eq!(granted(Role::Editor), [true, true, true, true, false]);
        assert_eq!(granted(Role::Owner), [true; 5]);
    }

    #[test]
    fn nobody_mints_above_their_own_role() {
        let roles = [Role::Viewer, Role::Editor, Role::Owner];
        let table = roles.map(|by| roles.map(|role| check_mint(by, role).is_ok()));
        assert_eq!(table, [[false, false, false], [true, true, false], [true, true, true]]);
    }
}
