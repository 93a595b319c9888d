//! Mail: through an SMTP server, or to the log where none is configured. Sent beside whoever caused it, so that how long an
//! answer takes tells nothing of whether there was a mail.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::Semaphore;

use crate::config::Mail;
use crate::tasks::Tasks;

/// Mails on their way at once; what is over is dropped, and logged.
const MOST: usize = 200;
/// How long the SMTP server may take for one, and how often one is tried, each time after twice as long.
const SEND: Duration = Duration::from_secs(30);
const TRIES: u32 = 4;
const RETRY: Duration = Duration::from_secs(5);

/// A setting that mail can't be sent with.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("mail.smtp is no address of an SMTP server such as smtps://user:password@mail.example.org")]
    Server(#[source] lettre::transport::smtp::Error),
    #[error("mail.from is no address such as \"Embedenv <noreply@example.org>\"")]
    From(#[source] lettre::address::AddressError),
}

#[derive(Clone)]
pub struct Mailer {
    way: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
    tasks: Tasks,
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("sends", &self.way.is_some()).finish_non_exhaustive()
    }
}

impl Mailer {
    pub fn new(mail: &Mail, tasks: Tasks) -> Result<Self, MailError> {
        let way = match &mail.smtp {
            Some(server) => {
                let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.reveal());
                let transport = transport.map_err(MailError::Server)?.timeout(Some(SEND)).build();
                Some((transport, mail.from.parse().map_err(MailError::From)?))
            }
            None => None,
        };
        Ok(Self { way, tasks, places: Arc::new(Semaphore::new(MOST)) })
    }

    /// Sends a mail of plain text to an address that was checked.
    pub fn send(&self, to: &str, subject: &str, text: String) {
        let Some((transport, from)) = self.way.clone() else {
            tracing::warn!(to, subject, "no mail.smtp is configured; the mail is:\n{text}");
            return;
        };
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::error!(subject, "a mail was dropped: too many are on their way");
            return;
        };
        let Ok(to) = to.parse() else {
            tracing::error!(subject, "a mail was dropped: its address is none");
            return;
        };
        let message = Message::builder().from(from).to(Mailbox::new(None, to)).subject(subject);
        let message = match message.header(ContentType::TEXT_PLAIN).body(text) {
            Ok(message) => message,
            Err(error) => return tracing::error!(%error, subject, "a mail could not be written"),
        };
        let tasks = self.tasks.clone();
        self.tasks.spawn("mail", async move {
            let mut pause = RETRY;
            for left in (0..TRIES).rev() {
                match transport.send(message.clone()).await {
                    Ok(_) => return,
                    Err(error) => {
                        tracing::warn!(error = %crate::telemetry::chain(&error), left, "a mail could not be sent")
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = tasks.closing() => break,
                }
                pause *= 2;
            }
            drop(place);
        });
    }
}
