//! What a failed system call is called on the wire.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::path::WorkspacePath;
use rustix::io::Errno;

/// A failure of one operation on `path`.
pub fn on(path: &WorkspacePath, errno: Errno) -> Failure {
    let name = if path.is_root() { "the project" } else { path.as_str() };
    at(name, errno)
}

/// The same for what is not an entry of a project.
pub fn at(name: &str, errno: Errno) -> Failure {
    let (code, text) = match errno {
        Errno::NOENT => (ErrorCode::NotFound, "does not exist"),
        Errno::EXIST | Errno::NOTEMPTY => (ErrorCode::AlreadyExists, "exists already"),
        Errno::ISDIR => (ErrorCode::IsAFolder, "is a folder"),
        Errno::NOTDIR => (ErrorCode::NotAFolder, "is not a folder, or stands in something that is none"),
        Errno::XDEV => (ErrorCode::BadPath, "leads out of the project"),
        Errno::LOOP => (ErrorCode::BadPath, "leads through too many links"),
        Errno::NAMETOOLONG => (ErrorCode::BadPath, "is too long a name"),
        Errno::INVAL | Errno::ILSEQ => (ErrorCode::BadPath, "is no name that this file system takes"),
        Errno::ACCESS | Errno::PERM => (ErrorCode::Forbidden, "may not be used that way by the sandbox's user"),
        Errno::ROFS => (ErrorCode::Forbidden, "is on a file system that can't be written to"),
        Errno::TXTBSY | Errno::BUSY => (ErrorCode::Conflict, "is in use"),
        Errno::AGAIN => (ErrorCode::Conflict, "was moved while it was looked at"),
        Errno::NOSPC | Errno::DQUOT => (ErrorCode::QuotaExceeded, "does not fit: the disk is full"),
        Errno::FBIG => (ErrorCode::QuotaExceeded, "does not fit: the file would be too large"),
        Errno::MLINK => (ErrorCode::QuotaExceeded, "does not fit: its folder is full"),
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => (ErrorCode::QuotaExceeded, "can't be opened: too much is open"),
        Errno::NXIO | Errno::NODEV => return not_regular(name),
        _ => return Failure::new(ErrorCode::Internal, format!("{name}: {errno}")),
    };
    Failure::new(code, format!("{name} {text}"))
}

/// There is something by that name that is neither a file nor a folder.
pub fn not_regular(name: &str) -> Failure {
    Failure::new(ErrorCode::NotRegular, format!("{name} is neither a file nor a folder"))
}

/// The file is not what whoever asked has seen.
pub fn changed(path: &WorkspacePath) -> Failure {
    Failure::new(ErrorCode::Conflict, format!("{path} was changed meanwhile"))
}

/// The project's folder itself can't be made, moved or removed by these commands.
pub fn is_root() -> Failure {
    Failure::new(ErrorCode::BadPath, "the path is empty")
}
