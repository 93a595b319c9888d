//! What only full clients ask for: each request with its reply.

use base64::Engine as _;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::{FrameId, FullRequest, TerminalSignal};
use embedenv_shared::event::What;
use embedenv_shared::frame::{ServerFrame, TerminalKind};
use embedenv_shared::link::files::{ProjectList, Projects};
use embedenv_shared::link::pipe::Pipe;
use embedenv_shared::link::search::Sought;
use embedenv_shared::link::sessions::{Bounds, MAX_TITLE, Signal, SignalKind, Size};
use embedenv_shared::link::transfer::Upload;
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::tree::{Encoding, content_bytes};

use super::super::{Doors, download};
use super::commands::Answer;
use crate::policy;
use crate::room::events::Page;
use crate::room::members::{Place, Seat};
use crate::room::previews::Holder;
use crate::room::processes::NewProcess;
use crate::room::registry::KeyWanted;
use crate::room::sessions::NewSession;

/// Bytes of a file that one frame holds: as base64 it is shorter than what may wait for a connection.
const MAX_READ: usize = 5 * 1024 * 1024;
/// Bytes that it is in JSON at most: a text that would be more goes as base64.
const MAX_CONTENT: usize = MAX_READ.div_ceil(3) * 4;

/// Bytes of a text in JSON, which escapes some characters (RFC 8259 section 7).
fn escaped(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(more).sum::<usize>()
}

pub(super) async fn carry_out(
    doors: &Doors,
    seat: &Seat,
    id: Option<FrameId>,
    request: FullRequest,
) -> Result<Answer, Failure> {
    let (room, member) = (seat.room(), &seat.member);
    Ok(match request {
        FullRequest::Ping => Answer::With(ServerFrame::Pong { id }),
        FullRequest::Projects => {
            let ProjectList { projects } = room.link().await?.call(Projects).await?;
            Answer::With(ServerFrame::Projects { id, projects })
        }
        FullRequest::List { project, path, after, watch } => {
            let listing = room.list(member, project.clone(), path.clone(), after, watch).await?;
            Answer::With(ServerFrame::Listing { id, project, path, entries: listing.entries, next: listing.next })
        }
        FullRequest::Unwatch { project, path } => {
            room.unwatch(member, project, path).await?;
            Answer::Quietly
        }
        FullRequest::Read { project, path } => {
            let bytes = room.read(project, path).await?;
            if bytes.len() > MAX_READ {
                let message =
                    format!("a file of more than {MAX_READ} bytes is not read in one frame: ask for its download");
                return Err(Failure::new(ErrorCode::TooLarge, message));
            }
            let (content, encoding) = match String::from_utf8(bytes) {
                Ok(text) if escaped(&text) <= MAX_CONTENT => (text, None),
                other => {
                    let bytes = other.map_or_else(|error| error.into_bytes(), String::into_bytes);
                    (base64::engine::general_purpose::STANDARD.encode(bytes), Some(Encoding::Base64))
                }
            };
            Answer::With(ServerFrame::File { id, content, encoding })
        }
        FullRequest::Pipe { project, command, input } => {
            room.start_pipe(member, id, Pipe { project, command, input: input.into_bytes() })?;
            Answer::Elsewhere
        }
        FullRequest::Move { project, path, to } => {
            room.relocate(project.clone(), path.clone(), to.clone()).await?;
            room.events.note(room, member, What::Moved { project, path, to }).await;
            Answer::Quietly
        }
        FullRequest::Copy { project, path, to } => {
            room.copy(project.clone(), path.clone(), to.clone()).await?;
            room.events.note(room, member, What::Copied { project, path, to }).await;
            Answer::Quietly
        }
        FullRequest::Upload { upload, project, path, key, size, overwrite } => {
            let begun = Upload { project, path, key, size, overwrite };
            let offset = room.begin_upload(member, upload, begun).await?;
            Answer::With(ServerFrame::UploadStands { id, upload, offset })
        }
        FullRequest::UploadFinish { project, path, key, size, overwrite } => {
            let folder = path.parent().unwrap_or_else(WorkspacePath::root);
            let of = project.clone();
            room.finish_upload(member, Upload { project, path, key, size, overwrite }).await?;
            // Many files of a folder are told as one.
            room.events.note(room, member, What::Uploaded { project: of, path: folder }).await;
            Answer::Quietly
        }
        FullRequest::UploadAbort { key } => {
            room.abort_upload(member, key).await?;
            Answer::Quietly
        }
        FullRequest::Download { project, path, only } => {
            let (ticket, name) = room.ticket(member, project, path, only).await?;
            Answer::With(ServerFrame::Download { id, address: download::address(room.id, &ticket), name })
        }
        FullRequest::Open { project, path } => {
            room.documents.open(room, member, id, project, path).await?;
            Answer::Elsewhere
        }
        FullRequest::Close { document } => {
            room.documents.close(member, document);
            Answer::Quietly
        }
        FullRequest::Save { document } => {
            room.documents.save(room, document).await?;
            Answer::With(ServerFrame::Saved { id, document })
        }
        FullRequest::LineEnding { document, eol } => {
            room.documents.end_lines(room, document, eol).await?;
            Answer::With(ServerFrame::Saved { id, document })
        }
        FullRequest::FirstText { document } => {
            let text = room.documents.first_text(document).await?;
            Answer::With(ServerFrame::FirstText { id, document, text })
        }
        FullRequest::TerminalOpen { project, cols, rows, command, title, folder, environment } => {
            // What is still waiting to be saved is in the files before a command reads them.
            room.documents.flush(room).await;
            let kind = if command.is_some() { TerminalKind::Run } else { TerminalKind::Terminal };
            let title = title.map(|title| title.chars().take(MAX_TITLE).collect());
            let size = Size { cols, rows }.clamped();
            let (of, runs) = (project.clone(), command.as_deref().map(What::command));
            let (opener, folder) = (Some(member.who), folder.unwrap_or_else(WorkspacePath::root));
            let new = NewSession { kind, project, command, title, size, opener, folder, environment, piping: None };
            let session = room
                .open_session(new, |session| {
                    session.attach(member.id, member.outbox.wake());
                })
                .await?
                .session;
            let ran = What::Ran { project: of, terminal: session.id, command: runs };
            member.outbox.send(&ServerFrame::TerminalOpened { id, terminal: session.id });
            member.read(session);
            room.events.note(room, member, ran).await;
            Answer::Elsewhere
        }
        FullRequest::ProcessStart { project, command, folder, environment, timeout, stdin } => {
            let folder = folder.unwrap_or_else(WorkspacePath::root);
            let bounds = Bounds { elapsed: timeout, ..Bounds::default() };
            let process = NewProcess { project, folder, command, environment, is_fed: stdin, bounds };
            room.start_process(member, id, process).await?;
            Answer::Elsewhere
        }
        FullRequest::ProcessInput { process, data, encoding, end } => {
            let bytes = content_bytes(data, encoding)
                .map_err(|error| Failure::new(ErrorCode::BadRequest, format!("data is not base64: {error}")))?;
            room.feed(member, id, process, bytes, end).await?;
            Answer::Elsewhere
        }
        FullRequest::TerminalAttach { terminal, from } => {
            room.attach_from(member, id, terminal, from).await?;
            Answer::Elsewhere
        }
        FullRequest::TerminalDetach { terminal } => {
            let session = room.sessions.get(terminal)?;
            member.stop_reading(&session);
            room.settle(&session).await;
            Answer::Quietly
        }
        FullRequest::TerminalResize { terminal, cols, rows } => {
            room.resize_session(member, terminal, Size { cols, rows }.clamped()).await?;
            Answer::Quietly
        }
        FullRequest::TerminalLock { terminal, locked } => {
            room.lock_session(member, terminal, locked)?;
            Answer::Quietly
        }
        FullRequest::TerminalTitle { terminal, title } => {
            room.title_session(member, terminal, &title).await?;
            Answer::Quietly
        }
        FullRequest::TerminalSignal { terminal, signal } => {
            let signal = match signal {
                TerminalSignal::Interrupt => SignalKind::Interrupt,
                TerminalSignal::Terminate => SignalKind::Terminate,
                TerminalSignal::Kill => SignalKind::Kill,
                TerminalSignal::EndOfInput => SignalKind::EndOfInput,
            };
            room.sessions.get(terminal)?.lease(|lease| lease.check(member.who))?;
            room.link().await?.call(Signal { session: terminal, signal }).await?;
            Answer::Quietly
        }
        FullRequest::TerminalClose { terminal } => {
            room.sessions.get(terminal)?.lease(|lease| lease.check(member.who))?;
            room.close_session(terminal).await?;
            Answer::Quietly
        }
        FullRequest::SandboxStart => {
            room.wake().await?;
            Answer::Quietly
        }
        FullRequest::KeyMint { role, ttl, uses, minutes } => {
            policy::check_mint(member.role, role)?;
            let wanted = KeyWanted { role, ttl, uses, minutes };
            let key = doors.registry.mint(room, Some(&member.user), wanted).await?;
            Answer::With(ServerFrame::Key { id, key })
        }
        FullRequest::Keys => {
            Answer::With(ServerFrame::Keys { id, keys: doors.registry.keys(room, member.role).await? })
        }
        FullRequest::KeyRevoke { join, number } => {
            doors.registry.revoke(room, join.as_deref(), number, member.role).await?;
            Answer::Quietly
        }
        FullRequest::DocumentToken { project, path } => {
            let epoch = room.documents.epoch(room, &project, &path).await?;
            let (token, expires) = doors.registry.mint_document_token(room, member, &project, &path);
            Answer::With(ServerFrame::DocumentToken { id, token, epoch, expires: expires.unsigned_abs() })
        }
        FullRequest::Chat { text } => {
            room.events.chat(room, member, &text).await?;
            Answer::Quietly
        }
        FullRequest::Events { after, limit } => {
            let Page { events, first, last } = room.events.after(after, limit.unwrap_or(usize::MAX)).await?;
            Answer::With(ServerFrame::Events { id, events, first, last })
        }
        FullRequest::Find { project, query, scope, replace } => {
            room.start_search(member, id, project, scope, Sought::Text { query, replace })?;
            Answer::Elsewhere
        }
        FullRequest::Files { project, scope } => {
            room.start_search(member, id, project, scope, Sought::Files)?;
            Answer::Elsewhere
        }
        FullRequest::Cancel { request } => {
            room.cancel_search(member, request);
            Answer::Quietly
        }
        FullRequest::Replace(replacing) => {
            let project = replacing.project.clone();
            let (files, hits) = room.replace(member, id.clone(), replacing).await?;
            if files > 0 {
                room.events.note(room, member, What::Replaced { project, files, hits }).await;
            }
            Answer::With(ServerFrame::End { id })
        }
        FullRequest::Preview { port } => {
            let (url, enter) = doors.places.entrance(room, checked_port(port)?, Holder::from(&**member))?;
            Answer::With(ServerFrame::Preview { id, port, url, enter })
        }
        FullRequest::PreviewShare { port, ttl } => {
            let (link, token) = room.previews.share(Holder::from(&**member), checked_port(port)?, ttl)?;
            let url = doors.places.link(room, port, &token)?;
            room.tell_previews();
            Answer::With(ServerFrame::PreviewLink { id, link, url })
        }
        FullRequest::PreviewRevoke { link } => {
            room.previews.revoke(link, member.role)?;
            room.tell_previews();
            Answer::Quietly
        }
        FullRequest::Previews => Answer::With(room.who_sees_ports(id)),
        FullRequest::PortOpen { port, ttl } => {
            room.previews.open(checked_port(port)?, ttl)?;
            room.tell_previews();
            Answer::Quietly
        }
        FullRequest::PortClose { port } => {
            room.previews.close(checked_port(port)?);
            room.tell_previews();
            Answer::Quietly
        }
        FullRequest::Here { project, path, idle } => {
            if path.is_some() && project.is_none() {
                return Err(Failure::new(ErrorCode::BadRequest, "a path needs its project"));
            }
            if member.set_place(Place { project, path, idle }) {
                room.tell_people();
            }
            Answer::Quietly
        }
    })
}

fn checked_port(port: u16) -> Result<u16, Failure> {
    if port == 0 { Err(Failure::new(ErrorCode::BadRequest, "port must be a number from 1 to 65535")) } else { Ok(port) }
}
