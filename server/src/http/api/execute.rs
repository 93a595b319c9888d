//! Single programs over HTTP, in the shape of Piston's API (<https://github.com/engineer-man/piston#public-api>), so that its clients
//! need another base URL and nothing else. Who asks says so in `Authorization`, or, if the client sends none, in the address.
//!
//! Translates and nothing else: running is [`crate::execute`]'s.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::sessions::Bounds;
use serde::{Deserialize, Serialize};

use super::pair::{NotForeign, basic, guessed_from};
use super::rates::Pace;
use crate::execute::{COMPILE, Job, MAX_OUTPUT, Outcome, RUN, Runtime, Stage};
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::Payer;
use crate::room::commands::Stream;

/// The names of signals by their numbers from 1 on (signal(7), on x86-64 and Arm).
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

pub(super) fn routes() -> Router<Doors> {
    let routes = Router::new()
        .route("/runtimes", get(runtimes))
        .route("/runtimes/", get(runtimes))
        .route("/execute", post(execute))
        .route("/execute/", post(execute));
    Router::new().nest("/api/v2", routes.clone()).nest("/k/{key}/api/v2", routes)
}

/// An error as Piston's clients read it, with the code that all of ours have.
struct Refusal(Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(failure.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let body = axum::Json(serde_json::json!({"message": self.0.message(), "code": self.0.code()}));
        // What else belongs to such an answer is the problem's.
        let (mut parts, _) = self.0.into_response().into_parts();
        let (said, body) = body.into_response().into_parts();
        parts.headers.extend(said.headers);
        Response::from_parts(parts, body)
    }
}

/// Who asks; nobody where no key is said.
struct Asker(Option<Payer>);

impl FromRequestParts<Doors> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        NotForeign::from_request_parts(parts, doors).await?;
        let in_path = Option::<Path<String>>::from_request_parts(parts, doors).await.ok().flatten();
        let said = parts.headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok()).and_then(key_in);
        let is_in_path = in_path.is_some();
        let key = match in_path {
            Some(Path(key)) => Some(split(&key).unwrap_or_default()),
            None => said,
        };
        let Some((public_key, secret_key)) = key else { return Ok(Self(None)) };
        let payer = doors.registry.pair(&public_key, &secret_key).await.map_err(|failure| {
            match parts.extensions.get::<ConnectInfo<SocketAddr>>() {
                Some(peer) => guessed_from(peer.0, doors, &public_key, failure),
                None => failure.into(),
            }
        })?;
        if is_in_path && !payer.scope.execute_only {
            let message = "a key in an address is seen by many: it must be one whose scope is execute_only";
            return Err(Failure::new(ErrorCode::Forbidden, message).into());
        }
        Pace::keep(parts, payer.account())?;
        Ok(Self(Some(payer)))
    }
}

/// A pair as `Authorization` says it: in HTTP's Basic scheme, or as `PUBLIC:SECRET` with or without `Bearer`.
fn key_in(said: &str) -> Option<(String, String)> {
    basic(said).or_else(|| split(said.strip_prefix("Bearer ").unwrap_or(said)))
}

fn split(pair: &str) -> Option<(String, String)> {
    pair.trim().split_once(':').map(|(public_key, secret_key)| (public_key.to_owned(), secret_key.to_owned()))
}

/// A language as one asks for it.
#[derive(Serialize)]
struct RuntimeBody<'a> {
    language: &'a str,
    version: &'a str,
    aliases: &'a [String],
}

async fn runtimes(State(doors): State<Doors>, Asker(payer): Asker) -> Result<impl IntoResponse, Refusal> {
    let runtimes = doors.executor.runtimes(payer.as_ref()).await?;
    let body = |runtime: &Runtime| {
        let Runtime { name, version, language } = runtime;
        serde_json::to_value(RuntimeBody { language: name, version, aliases: &language.aliases })
            .expect("texts always serialise")
    };
    Ok(axum::Json(runtimes.iter().map(body).collect::<Vec<_>>()))
}

#[derive(Deserialize)]
struct JobBody {
    language: String,
    version: String,
    files: Vec<FileBody>,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    args: Vec<String>,
    /// Milliseconds.
    run_timeout: Option<u64>,
    compile_timeout: Option<u64>,
    /// Milliseconds of processor time.
    run_cpu_time: Option<u64>,
    compile_cpu_time: Option<u64>,
    /// Bytes; all that the sandbox has if negative.
    run_memory_limit: Option<i64>,
    compile_memory_limit: Option<i64>,
}

#[derive(Deserialize)]
struct FileBody {
    name: Option<String>,
    content: String,
    #[serde(default)]
    encoding: Encoding,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Utf8,
    Base64,
    Hex,
}

impl FileBody {
    fn read(self) -> Result<(Option<String>, Vec<u8>), Failure> {
        let content = match self.encoding {
            Encoding::Utf8 => Some(self.content.into_bytes()),
            Encoding::Base64 => STANDARD.decode(self.content.trim()).ok(),
            Encoding::Hex => hex(self.content.trim()),
        };
        let content = content.ok_or_else(|| Failure::new(ErrorCode::BadRequest, "a file is not in its encoding"))?;
        Ok((self.name, content))
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8; 2]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

impl JobBody {
    fn read(self) -> Result<Job, Failure> {
        let bounds = |elapsed: Option<u64>, least: Duration, processor, memory: Option<i64>| Bounds {
            elapsed: Some(elapsed.unwrap_or(least.as_millis() as u64)),
            processor,
            memory: memory.and_then(|most| u64::try_from(most).ok()).filter(|most| *most > 0),
        };
        let run = bounds(self.run_timeout, RUN, self.run_cpu_time, self.run_memory_limit);
        let compile = bounds(self.compile_timeout, COMPILE, self.compile_cpu_time, self.compile_memory_limit);
        let files = self.files.into_iter().map(FileBody::read).collect::<Result<_, _>>()?;
        let (language, version, arguments) = (self.language, self.version, self.args);
        Ok(Job { language, version, files, arguments, input: self.stdin.into_bytes(), run, compile })
    }
}

/// A body that is a program, whatever its client says that it is: some say nothing.
struct Asked(Job);

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| Failure::new(ErrorCode::TooLarge, rejection.body_text()))?;
        let body: JobBody = serde_json::from_slice(&bytes).map_err(|error| {
            let code = if error.is_data() { ErrorCode::BadRequest } else { ErrorCode::BadJson };
            Failure::new(code, error.to_string())
        })?;
        Ok(Self(body.read()?))
    }
}

#[derive(Serialize)]
struct OutcomeBody {
    language: String,
    version: String,
    run: StageBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    compile: Option<StageBody>,
}

#[derive(Default, Serialize)]
struct StageBody {
    stdout: String,
    stderr: String,
    /// Both, in the order in which they were heard.
    output: String,
    code: Option<i32>,
    signal: Option<&'static str>,
    message: Option<String>,
    status: Option<&'static str>,
    cpu_time: Option<u64>,
    wall_time: Option<u64>,
    memory: Option<u64>,
}

impl From<Stage> for StageBody {
    fn from(stage: Stage) -> Self {
        let exit = stage.exit;
        let signal = exit
            .signal
            .map(|number| usize::try_from(number - 1).ok().and_then(|at| SIGNALS.get(at)).copied().unwrap_or("SIGRT"));
        let (status, message) = match (stage.overflowed, signal, exit.code) {
            (Some(Stream::Errors), ..) => (Some("EL"), Some(format!("stderr is longer than {MAX_OUTPUT} bytes"))),
            (Some(_), ..) => (Some("OL"), Some(format!("stdout is longer than {MAX_OUTPUT} bytes"))),
            _ if exit.timed_out => (Some("TO"), Some("its time was up".to_owned())),
            (None, Some(name), _) => (Some("SG"), Some(format!("ended by {name}"))),
            (None, None, Some(0)) => (None, None),
            (None, None, Some(code)) => (Some("RE"), Some(format!("ended with code {code}"))),
            (None, None, None) => (Some("XX"), Some("the sandbox ended before it".to_owned())),
        };
        let signal = if stage.overflowed.is_some() { Some("SIGKILL") } else { signal };
        Self {
            stdout: stage.output,
            stderr: stage.errors,
            output: stage.both,
            code: exit.code.filter(|_| signal.is_none()),
            signal,
            message,
            status,
            cpu_time: exit.cpu,
            wall_time: exit.elapsed,
            memory: exit.memory,
        }
    }
}

async fn execute(
    State(doors): State<Doors>,
    Asker(payer): Asker,
    Asked(job): Asked,
) -> Result<impl IntoResponse, Refusal> {
    let payer = payer.ok_or_else(|| {
        let message = "a key pair is needed: Authorization: PUBLIC:SECRET, or a base URL of /k/PUBLIC:SECRET/api/v2";
        Failure::new(ErrorCode::BadCredentials, message)
    })?;
    let Outcome { runtime, run, compile } = doors.executor.execute(payer, job).await?;
    let body = OutcomeBody {
        language: runtime.name,
        version: runtime.version,
        // What was not compiled was not run: clients look at `run` first.
        run: match (run, &compile) {
            (Some(run), _) => run.into(),
            (None, Some(compile)) => StageBody { code: compile.exit.code.or(Some(1)), ..StageBody::default() },
            (None, None) => StageBody::default(),
        },
        compile: compile.map(StageBody::from),
    };
    Ok((StatusCode::OK, axum::Json(body)))
}

#[cfg(test)]
mod tests {
    use embedenv_shared::frame::Exit;

    use super::*;

    #[test]
    fn a_pair_is_said_in_three_ways() {
        let pair = Some(("pk".to_owned(), "sk".to_owned()));
        for said in ["pk:sk", "Bearer pk:sk", "Basic cGs6c2s="] {
            assert_eq!(key_in(said), pair, "{said}");
        }
        assert_eq!(key_in("something"), None);
    }

    #[test]
    fn how_a_program_ended_is_told_as_piston_does() {
        let told = |exit: Exit, overflowed| {
            let body = StageBody::from(Stage { exit, overflowed, ..Stage::default() });
            (body.code, body.signal, body.status)
        };
        let code = |code| Exit { code: Some(code), ..Exit::default() };
        assert_eq!(told(code(0), None), (Some(0), None, None));
        assert_eq!(told(code(3), None), (Some(3), None, Some("RE")));
        let killed = Exit { signal: Some(11), ..Exit::default() };
        assert_eq!(told(killed, None), (None, Some("SIGSEGV"), Some("SG")));
        let late = Exit { signal: Some(9), timed_out: true, ..Exit::default() };
        assert_eq!(told(late, None), (None, Some("SIGKILL"), Some("TO")));
        assert_eq!(told(Exit::default(), Some(Stream::Errors)), (None, Some("SIGKILL"), Some("EL")));
        assert_eq!(told(Exit::default(), None), (None, None, Some("XX")));
    }

    #[test]
    fn files_are_read_in_three_encodings() {
        let read = |content: &str, encoding| FileBody { name: None, content: content.into(), encoding }.read();
        for (content, encoding) in [("hé", Encoding::Utf8), ("aMOp", Encoding::Base64), ("68c3a9", Encoding::Hex)] {
            assert_eq!(read(content, encoding).unwrap().1, "hé".as_bytes());
        }
        for (content, encoding) in [("!", Encoding::Base64), ("6", Encoding::Hex), ("zz", Encoding::Hex)] {
            assert!(read(content, encoding).is_err(), "{content}");
        }
    }
}
