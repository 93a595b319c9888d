//! What clients may say of where they are in a document: the awareness state of y-protocols, JSON of an object. The name
//! and colour in it are the server's word, so that nobody appears as somebody else.

use embedenv_shared::code::{ErrorCode, Failure};
use serde_json::{Map, Value, json};

use super::super::members::Member;
use crate::policy::Capability;

/// The longest state, in bytes.
const MAX_STATE: usize = 4 * 1024;
/// What everybody may say: two places in the text.
const CURSOR: &str = "cursor";
/// Who it is, as the editors of Yjs show it.
const USER: &str = "user";

/// A state as it is passed on; `None` if it is none.
pub(super) fn checked(state: &str, member: &Member) -> Result<Option<String>, Failure> {
    if state.len() > MAX_STATE {
        let message = format!("an awareness state has at most {MAX_STATE} bytes");
        return Err(Failure::new(ErrorCode::TooLarge, message));
    }
    let mut says = match serde_json::from_str(state) {
        Ok(Value::Null) => return Ok(Some("null".to_owned())),
        Ok(Value::Object(says)) => says,
        Ok(_) | Err(_) => return Ok(None),
    };
    if !Capability::Work.granted_to(member.role) {
        says = says.remove(CURSOR).map(|cursor| Map::from_iter([(CURSOR.to_owned(), cursor)])).unwrap_or_default();
    }
    let light = format!("{}33", member.color);
    let user = json!({"name": member.user, "color": member.color, "colorLight": light, "member": member.who});
    says.insert(USER.to_owned(), user);
    Ok(Some(Value::Object(says).to_string()))
}
