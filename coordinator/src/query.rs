//! The queries of requests.

use crate::problem::Problem;
use crate::routes::Call;
use scheduler_model::input::FieldError;
use scheduler_model::list_query::{Parameter, each_once};

impl Call<'_> {
    /// Reads the request's query. It gives each parameter once: see [`each_once`].
    pub(crate) fn query<T>(
        &self,
        read: impl FnOnce(&mut dyn Iterator<Item = Parameter<'_>>) -> Result<T, FieldError>,
    ) -> Result<T, Problem> {
        let url = self.request.url().map_err(|problem| Problem::invalid(FieldError::new("url", problem.to_string())))?;
        read(&mut each_once(url.query_pairs())).map_err(Problem::invalid)
    }
}
