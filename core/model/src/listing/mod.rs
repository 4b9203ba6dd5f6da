//! Lists over all shards: the cursor, joining the shards' answers in order, and how tasks are
//! shown.

mod page;
mod place;
mod show;

pub use page::{Finished, Page, share_of_page, share_of_search};
pub use place::{Cursor, CursorError, Order};
pub use show::{kind_of, write_item, write_running, write_task};
