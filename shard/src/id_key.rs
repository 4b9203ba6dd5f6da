//! The key of a shard's index of ids ([`scheduler_model::id_key::IdKey`]). It is created once and
//! stored in a row of its own.

use crate::storage::{Sql, blob, number};
use scheduler_engine::{EngineError, StorageError, hashes_of_envelope, key_stored_page};
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_platform::random_bytes;
use worker::SqlStorageValue as Value;

/// The name of the key in the table `secrets`.
const NAME: &str = "id-key";

impl Sql {
    /// Returns the shard's key, which the first start creates. The same transaction replaces the
    /// hashes that versions without a key stored. It rewrites one row for each page and each
    /// envelope, and reads one row at a time.
    pub(crate) fn id_key(&self) -> Result<IdKey, EngineError> {
        if let Some(row) = self
            .exec("SELECT value FROM secrets WHERE name = ?", vec![NAME.into()])?
            .into_iter()
            .next()
        {
            let bytes = blob(row.into_iter().next())?;
            let key = bytes.try_into().map_err(|_| {
                EngineError::Corrupt("the key of the index has another length".to_owned())
            })?;
            return Ok(IdKey::new(key));
        }
        let random = random_bytes()
            .map_err(|problem| StorageError(format!("no random numbers: {problem}")))?;
        let key = IdKey::new(random);
        self.in_transaction(move |sql| {
            sql.key_pages(key)
                .and_then(|()| sql.key_envelopes(key))
                .map_err(|problem| StorageError(problem.to_string()))?;
            sql.exec(
                "INSERT INTO secrets (name, value) VALUES (?, ?)",
                vec![NAME.into(), random.to_vec().into()],
            )
            .map(|_| ())
        })?;
        Ok(key)
    }

    fn key_pages(&self, key: IdKey) -> Result<(), EngineError> {
        for page in self.numbers("SELECT seq FROM pages")? {
            let found =
                self.exec("SELECT directory, body FROM pages WHERE seq = ?", vec![page.into()])?;
            let mut row = found.into_iter().next().unwrap_or_default().into_iter();
            let directory = key_stored_page(key, blob(row.next())?, blob(row.next())?)?;
            self.exec(
                "UPDATE pages SET directory = ? WHERE seq = ?",
                vec![directory.into(), page.into()],
            )?;
        }
        Ok(())
    }

    fn key_envelopes(&self, key: IdKey) -> Result<(), EngineError> {
        for seq in self.numbers("SELECT seq FROM outbox WHERE destination IS NOT NULL")? {
            let found = self.exec("SELECT envelope FROM outbox WHERE seq = ?", vec![seq.into()])?;
            let text = blob(found.into_iter().next().and_then(|row| row.into_iter().next()))?;
            let hashes =
                hashes_of_envelope(key, EnvelopeSeq::new(u64::try_from(seq).unwrap_or(0)), &text)?;
            self.exec(
                "UPDATE outbox SET hashes = ? WHERE seq = ?",
                vec![hashes.into(), seq.into()],
            )?;
        }
        Ok(())
    }

    fn numbers(&self, query: &str) -> Result<Vec<i64>, StorageError> {
        self.exec(query, Vec::<Value>::new())?
            .into_iter()
            .map(|row| number(row.into_iter().next()))
            .collect()
    }
}
