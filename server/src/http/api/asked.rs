//! What a request of the API brings: a body or a query that is not right is a problem like any other.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use embedenv_shared::code::ErrorCode;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};

use crate::http::problem::Problem;

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let code = match &rejection {
                    JsonRejection::JsonSyntaxError(_) => ErrorCode::BadJson,
                    JsonRejection::BytesRejection(_) => ErrorCode::TooLarge,
                    _ => ErrorCode::BadRequest,
                };
                Err(Problem::new(code, rejection.body_text()))
            }
        }
    }
}

/// A whole number, also one that is written with a fraction of zero: JSON knows no other numbers.
pub(super) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<f64>::deserialize(from)?;
    let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..=MOST).contains(number);
    match number {
        None => Ok(None),
        Some(number) if is_whole(&number) => Ok(Some(number as u64)),
        Some(number) => Err(D::Error::custom(format!("{number} is not a whole number from 0 on"))),
    }
}

/// The largest whole number below which all are numbers of JSON (RFC 8259 section 6).
const MOST: f64 = 9_007_199_254_740_991.0;

/// What stands behind the question mark.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|why| Problem::new(ErrorCode::BadRequest, why.body_text()))
    }
}
