//! Delivers what the ledger's outbox holds: to webhooks, signed as Standard Webhooks has it, and to mailboxes. What can't be
//! delivered stays there and is tried again.
//!
//! Knows no room and no account. Never asks an address that leads inward, unless an administrator has named its network.
//!
//! Task tree: one `deliveries`.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use ipnet::IpNet;
use sha2::Sha256;
use tower::Service;

use crate::egress::address::is_inward;
use crate::ledger::{Due, Ledger, LedgerError, Recipient, Tried, now};
use crate::mail::Mailer;
use crate::tasks::Tasks;

/// The longest address of a webhook, in bytes.
pub const MAX_URL: usize = 2048;
/// How long a webhook may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// What is delivered at once.
const AT_ONCE: usize = 16;
/// What is looked up at once.
const BATCH: u32 = 64;
/// How often it is looked for what is due, if nobody says that there is something.
const LOOK: Duration = Duration::from_secs(2);
/// What a signature begins with: its version.
const SIGNED: &str = "v1,";
/// What a secret begins with when it is shown.
const SECRET: &str = "whsec_";

/// The headers of a signed message.
pub const ID: &str = "webhook-id";
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

/// A secret as its owner gets it.
pub fn shown(secret: &[u8]) -> String {
    format!("{SECRET}{}", STANDARD.encode(secret))
}

/// The secret that is shown so.
pub fn read_secret(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.strip_prefix(SECRET)?).ok().filter(|secret| !secret.is_empty())
}

/// The signature of a message, as Standard Webhooks has it: of id, time in seconds and body.
pub fn signature(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    format!("{SIGNED}{}", STANDARD.encode(mac(secret, id, timestamp, body).finalize().into_bytes()))
}

/// Whether one of the signatures that a message came with is that of a secret.
pub fn is_signed(secret: &[u8], id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
    signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix(SIGNED)?).ok()).any(|one| {
        // In a time that tells nothing of how far it is right.
        mac(secret, id, timestamp, body).verify_slice(&one).is_ok()
    })
}

fn mac(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(secret).expect("HMAC takes keys of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

/// Why an address can be none of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    #[error("the address of a webhook is https://, with a host, no user, and at most {MAX_URL} bytes")]
    Form,
    #[error("the address of a webhook must not lead to a private, local or reserved network")]
    Inward,
}

/// Networks that are inward and may be asked all the same.
#[derive(Debug, Clone)]
pub struct Reach(Arc<Vec<IpNet>>);

impl Reach {
    pub fn new(inward: Vec<IpNet>) -> Self {
        Self(Arc::new(inward))
    }

    /// The address of a webhook, if it can be one. Its name may still lead inward, which is seen when it is asked.
    pub fn check(&self, text: &str) -> Result<Uri, BadUrl> {
        let plain = text.len() <= MAX_URL && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#');
        let uri: Uri = text.parse().ok().filter(|_| plain).ok_or(BadUrl::Form)?;
        // Who has named networks of their own may have no certificates there.
        let is_safe = uri.scheme_str() == Some("https") || uri.scheme_str() == Some("http") && !self.0.is_empty();
        let host = uri.host().filter(|host| !host.is_empty());
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let Some(host) = host.filter(|_| is_safe && !has_user) else { return Err(BadUrl::Form) };
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) if !self.allows(address) => Err(BadUrl::Inward),
            _ => Ok(uri),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        !is_inward(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

/// Looks names up, and finds no address that leads inward: what is connected to is what was checked.
impl Service<Name> for Reach {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.clone();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let outward: Vec<_> = found.iter().copied().filter(|address| reach.allows(address.ip())).collect();
            match outward.is_empty() && !found.is_empty() {
                true => Err(io::Error::other(BadUrl::Inward)),
                false => Ok(outward.into_iter()),
            }
        })
    }
}

#[derive(Debug)]
pub struct Deliveries {
    ledger: Ledger,
    mailer: Mailer,
    reach: Reach,
    tasks: Tasks,
    /// Made when it is needed first: that reads the system's certificates.
    client: tokio::sync::OnceCell<Client<HttpsConnector<HttpConnector<Reach>>, Full<Bytes>>>,
}

impl Deliveries {
    /// Delivers until the server goes down.
    pub fn start(ledger: Ledger, mailer: Mailer, reach: Reach, tasks: &Tasks) {
        let deliveries = Self { ledger, mailer, reach, tasks: tasks.clone(), client: tokio::sync::OnceCell::new() };
        tasks.spawn("deliveries", async move { deliveries.run().await });
    }

    async fn run(&self) {
        let work = async {
            loop {
                match self.deliver().await {
                    Ok(0) => tokio::select! {
                        () = self.ledger.told() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    },
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(error = %crate::telemetry::chain(&error), "what is to be delivered can't be read or noted");
                        tokio::time::sleep(LOOK).await;
                    }
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = self.tasks.closing() => {}
        }
    }

    /// Delivers what is due, and returns how much that was.
    async fn deliver(&self) -> Result<usize, LedgerError> {
        let due = self.ledger.due(BATCH).await?;
        let count = due.len();
        let outcomes = futures_util::stream::iter(due).map(|due| self.deliver_one(due)).buffer_unordered(AT_ONCE);
        let outcomes: Vec<_> = outcomes.collect().await;
        outcomes.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(count)
    }

    async fn deliver_one(&self, due: Due) -> Result<(), LedgerError> {
        let tried = match &due.to {
            Recipient::Mail(address) => {
                self.mail(address, &due);
                Tried { status: None, problem: None }
            }
            Recipient::Webhook { id, url } => self.post(id, url, &due).await,
        };
        self.ledger.tried(&due, &tried).await
    }

    async fn post(&self, webhook: &str, url: &str, due: &Due) -> Tried {
        let not = |problem: String| Tried { status: None, problem: Some(problem) };
        let uri = match self.reach.check(url) {
            Ok(uri) => uri,
            Err(bad) => return not(bad.to_string()),
        };
        let client = match self.client().await {
            Ok(client) => client,
            Err(error) => return not(format!("the server has no certificates to check others by: {error}")),
        };
        let timestamp = now().div_euclid(1000).to_string();
        let secret = self.ledger.webhook_secret(webhook);
        let signature = signature(&secret, &due.delivery, &timestamp, due.body.as_bytes());
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("Embedenv/", env!("CARGO_PKG_VERSION")))
            .header(ID, &due.delivery)
            .header(TIMESTAMP, &timestamp)
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::from(due.body.clone())));
        let request = match request {
            Ok(request) => request,
            Err(error) => return not(error.to_string()),
        };
        match tokio::time::timeout(ANSWER, client.request(request)).await {
            Err(_) => not(format!("it did not answer within {} s", ANSWER.as_secs())),
            Ok(Err(error)) => not(cause(&error)),
            // What it says besides is nobody's business here.
            Ok(Ok(answer)) => {
                let status = answer.status();
                let problem = (!status.is_success()).then(|| format!("it answered {status}"));
                Tried { status: Some(status.as_u16()), problem }
            }
        }
    }

    async fn client(&self) -> io::Result<&Client<HttpsConnector<HttpConnector<Reach>>, Full<Bytes>>> {
        let make = async || {
            let mut http = HttpConnector::new_with_resolver(self.reach.clone());
            http.enforce_http(false);
            http.set_connect_timeout(Some(ANSWER));
            let connector = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1();
            Ok(Client::builder(TokioExecutor::new()).build(connector.wrap_connector(http)))
        };
        self.client.get_or_try_init(make).await
    }

    /// A mail of what is due; the only one so far is that few credits are left.
    fn mail(&self, address: &str, due: &Due) {
        // An account of the command line has no address.
        if address.is_empty() {
            return;
        }
        let said: serde_json::Value = serde_json::from_str(&due.body).unwrap_or_default();
        let credits = &said["data"]["credits"];
        let text = format!(
            "Your account has {credits} credits left. A room costs one; without any, nobody opens a room by your key pairs \
             and widgets.\n"
        );
        self.mailer.send(address, "Embedenv: few credits are left", text);
    }
}

/// What lies at the bottom of an error, for whoever reads the list of deliveries.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification (standardwebhooks.com).
    #[test]
    fn a_message_is_signed_as_others_do_it() {
        let secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, timestamp) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, id, timestamp, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(is_signed(&secret, id, timestamp, body, &format!("v1a,x v1,AAAA {signed}")));
        for bad in ["", "v1,", "v1,AAAA", &signed[3..], &signed.replace("g0", "g1")] {
            assert!(!is_signed(&secret, id, timestamp, body, bad), "{bad}");
        }
        assert!(!is_signed(&secret, id, "1614265331", body, &signed));
        assert_eq!(shown(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(read_secret("whsec_"), None);
    }

    #[test]
    fn a_webhook_is_outward_and_safe_unless_its_network_is_named() {
        let public = Reach::new(Vec::new());
        let own = Reach::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for good in ["https://hooks.example.com/a?b=c", "https://hooks.example.com:8443", "https://93.184.215.14/"] {
            assert!(public.check(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", BadUrl::Form),
            ("hooks.example.com", BadUrl::Form),
            ("/hook", BadUrl::Form),
            ("http://hooks.example.com", BadUrl::Form),
            ("ftp://hooks.example.com", BadUrl::Form),
            ("https://me:secret@hooks.example.com", BadUrl::Form),
            ("https://hooks.example.com/#a", BadUrl::Form),
            ("https://hooks.example.com/a b", BadUrl::Form),
            ("https://127.0.0.1/", BadUrl::Inward),
            ("https://[::1]/", BadUrl::Inward),
            ("https://[::ffff:10.0.0.1]/", BadUrl::Inward),
            ("https://169.254.169.254/latest", BadUrl::Inward),
        ] {
            assert_eq!(public.check(bad).unwrap_err(), why, "{bad}");
        }
        assert_eq!(public.check(&format!("https://a.example/{}", "a".repeat(MAX_URL))).unwrap_err(), BadUrl::Form);
        assert!(own.check("http://10.1.2.3/hook").is_ok());
        assert_eq!(own.check("http://192.168.1.1/hook").unwrap_err(), BadUrl::Inward);
    }

    #[tokio::test]
    async fn a_name_that_leads_inward_is_not_asked() {
        let name = "localhost".parse::<Name>().unwrap();
        let error = Reach::new(Vec::new()).call(name.clone()).await.unwrap_err();
        assert_eq!(error.to_string(), BadUrl::Inward.to_string());
        let networks = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
        assert!(Reach::new(networks).call(name).await.unwrap().next().is_some());
    }
}
