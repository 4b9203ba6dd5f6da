//! All keys and namespaces of a deployment, sans I/O: takes a change, returns the rows to write.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{Directory, Entry, Key, KeyId, KeyUse, Reach, Refused, Settings};
use scheduler_model::bounds::{
    FREE_KEYS, GUARANTEED_KEYS_PER_NAMESPACE, MAX_KEYS, MAX_KEYS_PER_NAMESPACE, MAX_NAMESPACES,
    OPERATOR_KEYS,
};
use scheduler_model::namespace::Namespace;
use std::collections::BTreeMap;
use twox_hash::XxHash64;

/// A change of the storage, which is a table of names and records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Stores the record under the name.
    Put {
        /// The name.
        name: String,
        /// The record, JSON.
        record: String,
    },
    /// Deletes the record of this name.
    Delete {
        /// The name.
        name: String,
    },
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

impl Registry {
    /// Loads the registry from the records of all rows.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn load(records: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut registry = Self::default();
        for record in records {
            let entry = serde_json::from_str(&record)
                .map_err(|problem| format!("the registry's record {record:?}: {problem}"))?;
            registry.insert(entry);
        }
        registry.renew_version();
        Ok(registry)
    }

    fn insert(&mut self, entry: Entry) {
        match entry {
            Entry::Key(key) => drop(self.keys.insert(key.id, key)),
            Entry::Namespace(settings) => {
                drop(self.namespaces.insert(settings.name.clone(), settings))
            }
        }
    }

    /// Recomputes the version, which identifies the content. It is the same after a restart, so
    /// that readers with the current content do not read it again.
    fn renew_version(&mut self) {
        let mut directory = self.directory(0);
        // A changed time of use must not make all readers read everything again.
        directory.keys.iter_mut().for_each(|key| key.last_used_at = None);
        let content = serde_json::to_vec(&directory);
        debug_assert!(content.is_ok(), "the directory cannot be encoded: {content:?}");
        self.version = XxHash64::oneshot(0, &content.unwrap_or_default());
    }

    fn directory(&self, version: u64) -> Directory {
        Directory {
            version,
            keys: self.keys.values().cloned().collect(),
            namespaces: self.namespaces.values().cloned().collect(),
        }
    }

    /// Returns the whole directory, or `None` if the reader's version is current.
    pub fn read(&self, known: Option<u64>) -> Option<Directory> {
        (known != Some(self.version)).then(|| self.directory(self.version))
    }

    /// Adds or replaces an entry. Returns whether it is new. Callers may repeat this. A new key
    /// removes the expired keys.
    ///
    /// # Errors
    /// Returns an error if there is no room for the entry.
    pub fn put(
        &mut self,
        mut entry: Entry,
        now: UnixMillis,
    ) -> Result<(bool, Vec<Write>), Refused> {
        let (name, is_new) = match &mut entry {
            Entry::Key(key) => (name_of_key(key.id), !self.keys.contains_key(&key.id)),
            Entry::Namespace(settings) => {
                let former = self.namespaces.get(&settings.name);
                settings.created_at =
                    former.map_or(settings.created_at, |former| former.created_at);
                (name_of_namespace(&settings.name), former.is_none())
            }
        };
        let expired = |key: &Key| key.expires_at.is_some_and(|at| at <= now);
        match &entry {
            Entry::Key(key) if is_new => self.check_room(key, |key| !expired(key))?,
            Entry::Namespace(_) if is_new && self.namespaces.len() >= MAX_NAMESPACES => {
                let detail = format!(
                    "there are {MAX_NAMESPACES} namespaces, which is the limit; delete some first"
                );
                return Err(Refused { detail });
            }
            _ => {}
        }
        let mut writes = Vec::new();
        if is_new && matches!(entry, Entry::Key(_)) {
            writes.extend(
                self.keys
                    .values()
                    .filter(|key| expired(key))
                    .map(|key| Write::Delete { name: name_of_key(key.id) }),
            );
            self.keys.retain(|_, key| !expired(key));
        }
        // The shell stores no empty record.
        let record = serde_json::to_string(&entry);
        debug_assert!(record.is_ok(), "an entry cannot be encoded: {record:?}");
        let record = record.unwrap_or_default();
        writes.push(Write::Put { name, record });
        self.insert(entry);
        self.renew_version();
        Ok((is_new, writes))
    }

    /// Checks that there is room for a new key in addition to those that count: in the operator's
    /// reserve, and in the share of each namespace that the key names.
    fn check_room(&self, new: &Key, counts: impl Fn(&Key) -> bool) -> Result<(), Refused> {
        let keys = || self.keys.values().filter(|key| counts(key));
        let all = keys().count();
        let Reach::Only(names) = &new.namespaces else {
            return match all < MAX_KEYS {
                true => Ok(()),
                false => Err(Refused {
                    detail: format!("there are {all} keys, which is the limit; delete some first"),
                }),
            };
        };
        let of_tenants = keys().filter(|key| key.namespaces != Reach::All).count();
        if of_tenants >= MAX_KEYS - OPERATOR_KEYS {
            return Err(Refused {
                detail: format!(
                    "there are {of_tenants} keys of namespaces, which is the limit; delete some first"
                ),
            });
        }
        let most = if of_tenants < FREE_KEYS {
            MAX_KEYS_PER_NAMESPACE
        } else {
            GUARANTEED_KEYS_PER_NAMESPACE
        };
        for name in names {
            let own = keys()
                .filter(|key| matches!(&key.namespaces, Reach::Only(names) if names.contains(name)))
                .count();
            if own >= most {
                let detail = format!(
                    "the namespace {name} has {own} keys; its limit is {most} at present; delete some first"
                );
                return Err(Refused { detail });
            }
        }
        Ok(())
    }

    /// Records when keys were used, and returns the rows to write: at most one row per hour for
    /// each key. The version stays the same.
    pub fn used(&mut self, uses: &[KeyUse], now: UnixMillis) -> Vec<Write> {
        let mut writes = Vec::new();
        for KeyUse { id, at } in uses {
            // A clock that is ahead must not hide later uses.
            let at = (*at).min(now);
            let Some(key) = self.keys.get_mut(id).filter(|key| key.stores_use(at)) else {
                continue;
            };
            key.last_used_at = Some(at);
            // These types always serialize.
            let record = serde_json::to_string(&Entry::Key(key.clone())).unwrap_or_default();
            writes.push(Write::Put { name: name_of_key(*id), record });
        }
        writes
    }

    /// Removes a key. Returns `None` if there is none.
    pub fn revoke(&mut self, id: KeyId) -> Option<Write> {
        self.keys.remove(&id)?;
        self.renew_version();
        Some(Write::Delete { name: name_of_key(id) })
    }

    /// Removes a namespace. Returns `None` if there is none, or if it was created at another time,
    /// because then the request meant an earlier namespace of this name. Assumes that the caller
    /// has made sure that the namespace is empty.
    pub fn delete_namespace(
        &mut self,
        name: &Namespace,
        created_at: Option<UnixMillis>,
    ) -> Option<Write> {
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
    use scheduler_model::access::{NewKey, Quota, Token, USE_MILLIS};

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

    /// Applies the write to a table.
    fn stored(table: &mut BTreeMap<String, String>, write: Write) {
        match write {
            Write::Put { name, record } => drop(table.insert(name, record)),
            Write::Delete { name } => assert!(table.remove(&name).is_some(), "{name}"),
        }
    }

    #[test]
    fn a_loaded_registry_has_the_same_content() {
        let (mut registry, mut table) = (Registry::default(), BTreeMap::new());
        let empty = registry.read(None).unwrap();
        for entry in [key(1), key(2), namespace("b", 5, NOW), namespace("a", 5, NOW)] {
            let (is_new, writes) = registry.put(entry.clone(), NOW).unwrap();
            assert!(is_new);
            writes.into_iter().for_each(|write| stored(&mut table, write));
            assert_eq!(
                registry.put(entry, NOW).map(|(is_new, _)| is_new),
                Ok(false),
                "may be repeated"
            );
        }
        let known = registry.read(Some(empty.version)).expect("something has changed");
        assert_eq!(registry.read(Some(known.version)), None);
        assert!(
            known.keys.is_sorted_by_key(|key| key.id)
                && known.namespaces.is_sorted_by_key(|settings| settings.name.clone())
        );
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
    fn a_changed_quota_keeps_the_time_of_creation() {
        let mut registry = Registry::default();
        registry.put(namespace("a", 5, NOW), NOW).unwrap();
        let (is_new, _) = registry.put(namespace("a", 7, NOW.plus(9)), NOW).unwrap();
        assert!(!is_new);
        let settings = &registry.read(None).unwrap().namespaces[0];
        assert_eq!((settings.created_at, settings.quota.pending_tasks), (NOW, Some(7)));
    }

    #[test]
    fn a_late_delete_does_not_delete_a_newer_namespace() {
        let name = "a".parse().unwrap();
        let mut registry = Registry::default();
        registry.put(namespace("a", 5, NOW), NOW).unwrap();
        assert!(registry.delete_namespace(&name, Some(NOW)).is_some());
        registry.put(namespace("a", 5, NOW.plus(1)), NOW).unwrap();
        assert_eq!(registry.delete_namespace(&name, Some(NOW)), None);
        assert!(registry.read(None).unwrap().settings(&name).is_some());
        assert!(registry.delete_namespace(&name, Some(NOW.plus(1))).is_some());
    }

    #[test]
    fn entries_beyond_the_limits_are_refused() {
        let mut registry = Registry::default();
        for n in 0..MAX_KEYS as u16 {
            registry.put(key(n), NOW).unwrap();
        }
        let full = registry.read(None);
        let refused = registry.put(key(u16::MAX), NOW).unwrap_err();
        assert!(refused.detail.contains("4500 keys"), "{refused}");
        assert_eq!(registry.read(None), full, "nothing has changed");
        registry.put(key(0), NOW).unwrap();
        registry.put(namespace("a", 1, NOW), NOW).unwrap();
    }

    /// Returns a key of a namespace, with the number in its id.
    fn key_of(n: u16, name: &str, expires_at: Option<UnixMillis>) -> Entry {
        let Entry::Key(mut key) = key(n) else { panic!("a key") };
        key.namespaces = Reach::Only([name.parse().unwrap()].into());
        key.expires_at = expires_at;
        Entry::Key(key)
    }

    #[test]
    fn no_namespace_uses_up_the_room_for_keys_of_the_others() {
        let mut registry = Registry::default();
        let mut made = 0;
        let mut put = |registry: &mut Registry, name: &str| {
            made += 1;
            registry.put(key_of(made, name, None), NOW).is_ok()
        };
        let of = |registry: &mut Registry,
                  name: &str,
                  put: &mut dyn FnMut(&mut Registry, &str) -> bool| {
            (0..500).take_while(|_| put(registry, name)).count()
        };
        assert_eq!(of(&mut registry, "greedy", &mut put), MAX_KEYS_PER_NAMESPACE);
        for n in 0..MAX_NAMESPACES {
            let own = of(&mut registry, &format!("n{n}"), &mut put);
            assert!(
                (GUARANTEED_KEYS_PER_NAMESPACE..=MAX_KEYS_PER_NAMESPACE).contains(&own),
                "{n}: {own}"
            );
        }
        // However many keys the tenants have, the operator can create its own keys.
        for n in 0..OPERATOR_KEYS as u16 {
            registry.put(key(u16::MAX - n), NOW).unwrap();
        }
    }

    #[test]
    fn expired_keys_make_room_and_are_removed() {
        let (mut registry, mut table) = (Registry::default(), BTreeMap::new());
        for n in 0..MAX_KEYS_PER_NAMESPACE as u16 {
            let (_, writes) = registry.put(key_of(n, "a", Some(NOW.plus(1_000))), NOW).unwrap();
            writes.into_iter().for_each(|write| stored(&mut table, write));
        }
        assert!(registry.put(key_of(900, "a", None), NOW.plus(999)).is_err());
        assert_eq!(table.len(), MAX_KEYS_PER_NAMESPACE);
        let (_, writes) = registry.put(key_of(900, "a", None), NOW.plus(1_000)).unwrap();
        writes.into_iter().for_each(|write| stored(&mut table, write));
        assert_eq!((table.len(), registry.read(None).unwrap().keys.len()), (1, 1));
    }

    #[test]
    fn an_unreadable_record_is_an_error() {
        assert!(Registry::load(["{}".to_owned()]).unwrap_err().contains("{}"));
    }

    #[test]
    fn uses_of_a_key_are_stored_once_per_hour_and_keep_the_version() {
        let mut registry = Registry::default();
        let Entry::Key(made) = key(1) else { panic!("it is a key") };
        registry.put(Entry::Key(made.clone()), NOW).unwrap();
        let version = registry.version;
        let later = |millis| NOW.plus(millis);
        let used = |at| [KeyUse { id: made.id, at }];
        let writes = registry.used(&used(NOW), NOW);
        let [Write::Put { name, record }] = writes.as_slice() else { panic!("{writes:?}") };
        assert_eq!(*name, name_of_key(made.id));
        let read = |registry: &Registry| registry.read(None).unwrap().keys[0].last_used_at;
        assert_eq!(read(&registry), Some(NOW));
        // A restarted registry has the same version.
        let loaded = Registry::load([record.clone()]).unwrap();
        assert_eq!((registry.version, loaded.version), (version, version));
        assert_eq!(read(&loaded), Some(NOW));

        let end = later(USE_MILLIS);
        assert_eq!(registry.used(&used(end.plus(-1)), end), []);
        // The clock of the use is ahead.
        assert_eq!(registry.used(&used(end.plus(USE_MILLIS * 9)), end).len(), 1);
        assert_eq!(read(&registry), Some(end));
        registry.revoke(made.id).unwrap();
        assert_eq!(registry.used(&used(later(USE_MILLIS * 3)), later(USE_MILLIS * 3)), []);
    }
}
