//! stub
use super::*;
impl Room {
    pub fn start_curl(self: &std::sync::Arc<Self>, _m: &Member, _id: Option<embedenv_shared::command::FrameId>, _c: embedenv_shared::command::Curl) -> Result<(), Failure> { Err(Failure::new(ErrorCode::Internal, "x")) }
}
