//! The addresses of tasks and dead letters in the API, for texts that tell the reader which request
//! to send.

/// Returns the path of the task with this id: `/v1/tasks/order%2F7`.
pub fn task_path(id: &str) -> String {
    segment_after("/v1/tasks/", id)
}

/// Returns `start` and a percent-encoded segment.
pub(crate) fn segment_after(start: &str, segment: &str) -> String {
    let mut path = start.to_owned();
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_percent_encoded() {
        assert_eq!(task_path("order/7 ä.~_-"), "/v1/tasks/order%2F7%20%C3%A4.~_-");
    }
}
