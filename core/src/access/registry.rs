//! All keys and namespaces of a deployment, sans I/O: a change goes in, rows to write come out.

use super::directory::{Directory, Settings};
use super::key::Key;
use super::token::KeyId;
use crate::limits::{MAX_KEYS, MAX_NAMESPACES};
use crate::namespace::Namespace;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use twox_hash::XxHash64;

/// Something to add, or to put in the place of what has its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// A key.
    Key(Key),
    /// A namespace; one that is there keeps the time it was made.
    Namespace(Settings),
}

/// A change of what is stored: a table of names and records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// This record under this name.
    Put {
        /// The name.
        name: String,
        /// The record, JSON.
        record: String,
    },
    /// Nothing under this name any more.
    Delete {
        /// The name.
        name: String,
    },
}

/// A change that is not carried out; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The problem, the limit, and what to do.
    pub detail: String,
}

/// The keys and namespaces.
#[derive(Debug, Default)]
pub struct Registry {
    keys: BTreeMap<KeyId, Key>,
    namespaces: BTreeMap<Namespace, Settings>,
    version: u64,
}

fn name_of_key(id: KeyId) -> String {
    format!("key/{id}")
}

fn name_of_namespace(name: &Namespace) -> String {
    format!("namespace/{name}")
}

/// Which namespace is to be deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeleteNamespace {
    /// The one of this name, whenever it was made.
    Named(Namespace),
    /// The one of this name that was made at this time.
    Made {
        /// Its name.
        name: Namespace,
        /// When it was made.
        created_at: UnixMillis,
    },
}

impl DeleteNamespace {
    /// Returns the name, and when the namespace was made if that is said.
    pub fn parts(self) -> (Namespace, Option<UnixMillis>) {
        match self {
            Self::Named(name) => (name, None),
            Self::Made { name, created_at } => (name, Some(created_at)),
        }
    }
}

impl Registry {
    /// As storage says it is: every row's record.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn load(records: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut registry = Self::default();
        for record in records {
            let entry =
                serde_json::from_str(&record).map_err(|problem| format!("the registry's record {record:?}: {problem}"))?;
            registry.insert(entry);
        }
        registry.renew_version();
        Ok(registry)
    }

    fn insert(&mut self, entry: Entry) {
        match entry {
            Entry::Key(key) => drop(self.keys.insert(key.id, key)),
            Entry::Namespace(settings) => drop(self.namespaces.insert(settings.name.clone(), settings)),
        }
    }

    /// Names the content: the same after a restart, so that nobody has to read again what they know.
    fn renew_version(&mut self) {
        // These types serialise without fail.
        self.version = XxHash64::oneshot(0, &serde_json::to_vec(&self.directory(0)).unwrap_or_default());
    }

    fn directory(&self, version: u64) -> Directory {
        Directory {
            version,
            keys: self.keys.values().cloned().collect(),
            namespaces: self.namespaces.values().cloned().collect(),
        }
    }

    /// Everything; `None` for one who knows it.
    pub fn read(&self, known: Option<u64>) -> Option<Directory> {
        (known != Some(self.version)).then(|| self.directory(self.version))
    }

    /// Adds or replaces, and says whether it is new. May be repeated.
    ///
    /// # Errors
    /// When there would be too many.
    pub fn put(&mut self, mut entry: Entry) -> Result<(bool, Write), Refused> {
        let (what, name, is_new, count, most) = match &mut entry {
            Entry::Key(key) => ("keys", name_of_key(key.id), !self.keys.contains_key(&key.id), self.keys.len(), MAX_KEYS),
            Entry::Namespace(settings) => {
                let former = self.namespaces.get(&settings.name);
                settings.created_at = former.map_or(settings.created_at, |former| former.created_at);
                ("namespaces", name_of_namespace(&settings.name), former.is_none(), self.namespaces.len(), MAX_NAMESPACES)
            }
        };
        if is_new && count >= most {
            return Err(Refused { detail: format!("there are {count} {what}, which is the limit; delete some first") });
        }
        // These types serialise without fail.
        let record = serde_json::to_string(&entry).unwrap_or_default();
        self.insert(entry);
        self.renew_version();
        Ok((is_new, Write::Put { name, record }))
    }

    /// Takes a key out; `None` when there is none.
    pub fn revoke(&mut self, id: KeyId) -> Option<Write> {
        self.keys.remove(&id)?;
        self.renew_version();
        Some(Write::Delete { name: name_of_key(id) })
    }

    /// Takes a namespace out; `None` when there is none, or one that was made at another time: then the request was for one before it. The
    /// caller sees to it that the namespace is empty.
    pub fn delete_namespace(&mut self, name: &Namespace, created_at: Option<UnixMillis>) -> Option<Write> {
        let former = self.namespaces.get(name)?;
        if created_at.is_some_and(|created_at| created_at != former.created_at) {
            return None;
        }
        self.namespaces.remove(name)?;
        self.renew_version();
        Some(Write::Delete { name: name_of_namespace(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{NewKey, Quota, Token};

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn key(n: u16) -> Entry {
        let mut id = [0; 8];
        id[6..].copy_from_slice(&n.to_be_bytes());
        let new = NewKey::parse(r#"{"name":"a","scopes":["read"],"namespaces":["*"]}"#).unwrap();
        Entry::Key(new.check(&Token::new(id, [1; 16]), NOW).unwrap())
    }

    fn namespace(name: &str, pending_tasks: u64, created_at: UnixMillis) -> Entry {
        let quota = Quota { pending_tasks: Some(pending_tasks), ..Quota::default() };
        Entry::Namespace(Settings { name: name.parse().unwrap(), quota, created_at })
    }

    /// The table that the write leads to.
    fn stored(table: &mut BTreeMap<String, String>, write: Write) {
        match write {
            Write::Put { name, record } => drop(table.insert(name, record)),
            Write::Delete { name } => assert!(table.remove(&name).is_some(), "{name}"),
        }
    }

    #[test]
    fn what_is_written_loads_as_what_is_known() {
        let (mut registry, mut table) = (Registry::default(), BTreeMap::new());
        let empty = registry.read(None).unwrap();
        for entry in [key(1), key(2), namespace("b", 5, NOW), namespace("a", 5, NOW)] {
            let (is_new, write) = registry.put(entry.clone()).unwrap();
            assert!(is_new);
            stored(&mut table, write);
            assert_eq!(registry.put(entry).map(|(is_new, _)| is_new), Ok(false), "may be repeated");
        }
        let known = registry.read(Some(empty.version)).expect("something has changed");
        assert_eq!(registry.read(Some(known.version)), None);
        assert!(known.keys.is_sorted_by_key(|key| key.id) && known.namespaces.is_sorted_by_key(|settings| settings.name.clone()));
        let loaded = Registry::load(table.values().cloned()).unwrap();
        assert_eq!(loaded.read(Some(known.version)), None, "the same content has the same version");

        let gone = registry.revoke(known.keys[0].id).unwrap();
        assert_eq!(registry.revoke(known.keys[0].id), None);
        stored(&mut table, gone);
        stored(&mut table, registry.delete_namespace(&"a".parse().unwrap(), None).unwrap());
        assert_eq!(registry.delete_namespace(&"a".parse().unwrap(), None), None);
        let left = Registry::load(table.into_values()).unwrap().read(None).unwrap();
        assert_eq!((left.keys.len(), left.namespaces.len()), (1, 1));
        assert_eq!(registry.read(Some(left.version)), None);
    }

    #[test]
    fn a_change_of_quota_keeps_the_time_of_making() {
        let mut registry = Registry::default();
        registry.put(namespace("a", 5, NOW)).unwrap();
        let (is_new, _) = registry.put(namespace("a", 7, NOW.plus(9))).unwrap();
        assert!(!is_new);
        let settings = &registry.read(None).unwrap().namespaces[0];
        assert_eq!((settings.created_at, settings.quota.pending_tasks), (NOW, Some(7)));
    }

    #[test]
    fn a_late_delete_is_of_the_namespace_before() {
        let name = "a".parse().unwrap();
        let mut registry = Registry::default();
        registry.put(namespace("a", 5, NOW)).unwrap();
        assert!(registry.delete_namespace(&name, Some(NOW)).is_some());
        registry.put(namespace("a", 5, NOW.plus(1))).unwrap();
        assert_eq!(registry.delete_namespace(&name, Some(NOW)), None);
        assert!(registry.read(None).unwrap().settings(&name).is_some());
        assert!(registry.delete_namespace(&name, Some(NOW.plus(1))).is_some());
    }

    #[test]
    fn there_are_not_too_many() {
        let mut registry = Registry::default();
        for n in 0..MAX_KEYS as u16 {
            registry.put(key(n)).unwrap();
        }
        let full = registry.read(None);
        let refused = registry.put(key(u16::MAX)).unwrap_err();
        assert!(refused.detail.contains("1000 keys"), "{refused}");
        assert_eq!(registry.read(None), full, "nothing has changed");
        registry.put(key(0)).unwrap();
        registry.put(namespace("a", 1, NOW)).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(Registry::load(["{}".to_owned()]).unwrap_err().contains("{}"));
    }
}
