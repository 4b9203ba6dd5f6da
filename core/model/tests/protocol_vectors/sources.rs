//! What the sources say about messages: their paths, and the members and variants of their types.
//!
//! This reads the text of the sources, as `rustfmt` lays it out.

/// The modules with paths, each with what comes before a path in the name of a vector.
const OBJECTS: [(&str, &str); 4] = [
    ("", include_str!("../../src/protocol/mod.rs")),
    ("limiter ", include_str!("../../src/protocol/limiter.rs")),
    ("registry ", include_str!("../../src/access/mod.rs")),
    ("registry ", include_str!("../../src/calendars/messages.rs")),
];

/// The modules with the types of messages.
const TYPES: [&str; 22] = [
    include_str!("../../src/protocol/mod.rs"),
    include_str!("../../src/protocol/append.rs"),
    include_str!("../../src/protocol/change.rs"),
    include_str!("../../src/protocol/dead_letters.rs"),
    include_str!("../../src/protocol/events.rs"),
    include_str!("../../src/protocol/filter.rs"),
    include_str!("../../src/protocol/forecast.rs"),
    include_str!("../../src/protocol/history.rs"),
    include_str!("../../src/protocol/limiter.rs"),
    include_str!("../../src/protocol/list.rs"),
    include_str!("../../src/protocol/report.rs"),
    include_str!("../../src/protocol/series.rs"),
    include_str!("../../src/protocol/stats.rs"),
    include_str!("../../src/access/directory.rs"),
    include_str!("../../src/access/key.rs"),
    include_str!("../../src/access/messages.rs"),
    include_str!("../../src/access/quota.rs"),
    include_str!("../../src/calendars/calendar.rs"),
    include_str!("../../src/calendars/messages.rs"),
    include_str!("../../src/calendars/update.rs"),
    include_str!("../../src/explain.rs"),
    include_str!("../../src/series/resolution.rs"),
];

/// Returns every path, with the object that it is for.
pub(crate) fn paths() -> Vec<(&'static str, &'static str)> {
    let all: Vec<_> = OBJECTS
        .iter()
        .flat_map(|(object, source)| {
            let constants =
                source.lines().filter_map(|line| line.trim().strip_prefix("pub const "));
            let texts = constants.filter_map(|line| line.split_once(": &str = \""));
            let texts = texts.filter_map(|(_, text)| text.strip_suffix("\";"));
            texts.filter(|text| text.starts_with('/')).map(move |path| (*object, path))
        })
        .collect();
    assert!(all.len() > 45, "{all:?}");
    all
}

/// A member of a structure, or a variant of an enumeration.
pub(crate) struct Part {
    /// The type.
    pub(crate) of: &'static str,
    /// As a message has it, in quotation marks. A member is followed by a colon.
    pub(crate) text: String,
}

impl Part {
    /// Returns whether a message of the type `name` has the part itself.
    pub(crate) fn is_in(&self, name: &str) -> bool {
        name.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == self.of)
    }
}

/// Returns every member and every variant of the types that Workers read and write.
pub(crate) fn parts() -> Vec<Part> {
    let all: Vec<Part> = TYPES.into_iter().flat_map(parts_of).collect();
    assert!(all.len() > 280, "only {} parts", all.len());
    all
}

fn parts_of(source: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut attributes, mut open) = (String::new(), None::<(&str, bool, String)>);
    let mut is_in_attribute = false;
    for line in source.lines().take_while(|line| *line != "#[cfg(test)]") {
        let trimmed = line.trim();
        if is_in_attribute || trimmed.starts_with("#[") {
            attributes.push_str(trimmed);
            is_in_attribute = !trimmed.ends_with(']');
            continue;
        }
        if trimmed.starts_with("//") {
            continue;
        }
        let taken = std::mem::take(&mut attributes);
        if line == "}" {
            open = None;
        } else if let Some(rest) = line.strip_prefix("pub ") {
            let is_enum = rest.starts_with("enum ");
            let head = rest.strip_prefix("struct ").or_else(|| rest.strip_prefix("enum "));
            let name =
                head.and_then(|head| head.split(|letter: char| !letter.is_alphanumeric()).next());
            let is_message = |name: &str| {
                let reads = format!("impl<'de> Deserialize<'de> for {name} ");
                taken.contains(" Serialize")
                    && (taken.contains("Deserialize") || source.contains(&reads))
                    && !taken.contains("untagged")
                    && !taken.contains("serde(from")
            };
            open = name
                .filter(|name| line.ends_with('{') && is_message(name))
                .map(|name| (name, is_enum, taken));
        } else if let Some((of, is_enum, attributes)) = &open
            && line.len() - line.trim_start().len() == 4
            && !trimmed.starts_with('}')
            && !taken.contains("flatten")
        {
            let name = trimmed.strip_prefix("pub ").unwrap_or(trimmed);
            let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let name = &name[..end.unwrap_or(name.len())];
            let name = value(&taken, "rename").map_or_else(
                || renamed(name, value(attributes, "rename_all").unwrap_or_default()),
                str::to_owned,
            );
            let text = if *is_enum { format!("\"{name}\"") } else { format!("\"{name}\":") };
            parts.push(Part { of, text });
        }
    }
    parts
}

/// Returns the value of `name = "value"` in the attributes of serde.
fn value<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let attributes = &attributes[attributes.find("serde(")?..];
    let attributes = &attributes[..attributes.find(")]")?];
    let start = attributes.find(&format!("{name} = \""))? + name.len() + 4;
    attributes[start..].split('"').next()
}

/// Returns a name of Rust as serde writes it.
fn renamed(name: &str, rule: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && letter != '_'
        {
            word.extend(letter.to_lowercase());
        }
    }
    let upper = |word: &String| word[..1].to_uppercase() + &word[1..];
    match rule {
        "camelCase" => words[..1].iter().cloned().chain(words[1..].iter().map(upper)).collect(),
        "kebab-case" => words.join("-"),
        "lowercase" => words.concat(),
        _ => name.to_owned(),
    }
}
