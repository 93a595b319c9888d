//! What clients hear of the ledger's errors: those that they can do something about in so many words, of others that it
//! failed.

use embedenv_shared::code::{ErrorCode, Failure};

use super::LedgerError;

/// What PostgreSQL says of a text with a character of code 0, which it can't hold (`character_not_in_repertoire`).
const NO_TEXT: &str = "22021";

/// As a client is told.
pub fn failed(error: LedgerError) -> Failure {
    match error {
        LedgerError::BadCredentials => Failure::new(ErrorCode::BadCredentials, "the key pair is not valid"),
        LedgerError::UnknownJoinKey => {
            Failure::new(ErrorCode::UnknownJoinKey, "the join key is unknown or has expired")
        }
        error @ (LedgerError::UnknownWidget
        | LedgerError::UnknownRoom
        | LedgerError::UnknownAccount
        | LedgerError::UnknownWebhook
        | LedgerError::UnknownDelivery
        | LedgerError::NoKey(_)) => Failure::new(ErrorCode::NotFound, error.to_string()),
        error @ (LedgerError::Name { .. }
        | LedgerError::Origin(_)
        | LedgerError::Origins { .. }
        | LedgerError::Quota { .. }
        | LedgerError::Look(_)
        | LedgerError::Scope { .. }
        | LedgerError::Bound { .. }
        | LedgerError::Overlap { .. }
        | LedgerError::Event(_)
        | LedgerError::Past
        | LedgerError::Amount { .. }) => Failure::new(ErrorCode::BadRequest, error.to_string()),
        error @ LedgerError::Project { .. } => Failure::new(ErrorCode::TooLarge, error.to_string()),
        error @ (LedgerError::UnknownSession | LedgerError::UnknownToken) => {
            Failure::new(ErrorCode::BadCredentials, error.to_string())
        }
        error @ (LedgerError::TooManyJoinKeys
        | LedgerError::TooManyKeys { .. }
        | LedgerError::TooManyWebhooks { .. }) => Failure::new(ErrorCode::LimitReached, error.to_string()),
        error @ LedgerError::OtherPayment => Failure::new(ErrorCode::Conflict, error.to_string()),
        error @ LedgerError::UnknownDocumentToken => Failure::new(ErrorCode::UnknownJoinKey, error.to_string()),
        LedgerError::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_TEXT) => {
            Failure::new(ErrorCode::BadRequest, "a text holds a character of code 0")
        }
        other => {
            tracing::error!(error = %crate::telemetry::chain(&other), "the ledger failed");
            Failure::new(ErrorCode::Internal, "the server could not reach its ledger; nothing was charged")
        }
    }
}
