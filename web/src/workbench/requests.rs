//! Requests to what listens in the sandbox.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedenv_shared::code::Failure;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::tree::content_bytes;
use futures_channel::oneshot;
use serde_json::json;

use super::Workbench;
use crate::connection::More;
use crate::interop::page;
use crate::state::request::Request;

/// The most of a response's body that is kept, in bytes; the rest is not.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// What a server in the sandbox answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Length of the whole body, in bytes.
    pub(crate) size: usize,
    /// From the question to the end of the answer, in milliseconds.
    pub(crate) took: u64,
}

impl Response {
    /// There was more than is kept.
    pub(crate) fn is_cut(&self) -> bool {
        self.size > self.body.len()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

impl Workbench {
    /// Asks a server in the sandbox for something. When `cancelled` is set, what still comes is let go.
    pub(crate) async fn fetch(&self, request: &Request, cancelled: Rc<Cell<bool>>) -> Result<Response, Failure> {
        let Some(project) = self.project() else { return Ok(Response::default()) };
        let (sender, end) = oneshot::channel();
        let mut sender = Some(sender);
        let response = Rc::new(RefCell::new(Response::default()));
        let coming = response.clone();
        let mut over = move |outcome| {
            if let Some(sender) = sender.take() {
                // Who asked may have gone.
                let _ = sender.send(outcome);
            }
            More::IsOver
        };
        let headers: serde_json::Map<_, _> =
            request.all_headers().into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut members = json!({"method": request.method, "url": request.url(), "headers": headers});
        if let Some(body) = request.data() {
            members["data"] = body.into();
        }
        let begun = page::now();
        self.connection.each_reply(&project, json!({"type": "curl"}), members, move |reply| match reply {
            Ok(ServerFrame::Response { status, headers, .. }) => {
                let mut response = coming.borrow_mut();
                (response.status, response.headers) = (status, headers);
                More::Comes
            }
            Ok(ServerFrame::Chunk { content, encoding, .. }) => {
                if cancelled.get() {
                    return More::Comes;
                }
                let mut response = coming.borrow_mut();
                let bytes = content_bytes(content, encoding).unwrap_or_default();
                response.size += bytes.len();
                let room = MAX_BODY - response.body.len();
                response.body.extend(&bytes[..bytes.len().min(room)]);
                More::Comes
            }
            Ok(_) => over(Ok(())),
            Err(failure) => over(Err(failure)),
        });
        let outcome = end.await;
        let mut response = response.take();
        response.took = (page::now() - begun).max(0.0) as u64;
        match outcome {
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(())) | Err(_) => Ok(response),
        }
    }
}
