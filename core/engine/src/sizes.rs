//! The sizes of writes.

use crate::effects::Write;
impl Write {
    /// Returns the bytes that this write adds to storage, without numbers and names.
    pub fn bytes(&self) -> usize {
        match self {
            Self::InsertPage { directory, body, .. } => directory.len() + body.len(),
            Self::ExtendPage { directory, tail, .. } => directory.len() + tail.len(),
            Self::SetDead { bits, .. } => bits.len(),
            Self::InsertSchedule { record, .. }
            | Self::SetSchedule { record, .. }
            | Self::Patch { record, .. } => record.len(),
            Self::Decide { decisions, .. } => decisions.len(),
            Self::Remember { value, .. } => value.len(),
            Self::InsertEnvelope { text, hashes, state, .. } => {
                text.len() + hashes.len() + state.as_ref().map_or(0, Vec::len)
            }
            Self::ClearEnvelope { state, .. } | Self::SaveState { state, .. } => state.len(),
            Self::InsertHistory { body, .. } => body.len(),
            Self::ExtendHistory { tail, .. } => tail.len(),
            // The arms name each write, so that whoever adds a write must state its size.
            Self::DeletePage { .. }
            | Self::DeleteSchedule { .. }
            | Self::Forget { .. }
            | Self::DeleteEnvelope { .. }
            | Self::ForgetDecisions { .. }
            | Self::DropHistory { .. }
            | Self::Resent { .. }
            | Self::SendEnded { .. }
            | Self::SetSince { .. } => 0,
        }
    }
}
