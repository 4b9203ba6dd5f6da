//! Splits an object with several forms into one schema for each form, so that a generated client
//! refuses what the API refuses.
//!
//! The types that parse requests are flat: all members of all forms are optional. In the schema of
//! a form, the members of other forms may only be null, which means the same as absent. So a type
//! checker recognizes a task with two schedules by the extra members, and a task without a schedule
//! by the missing required members. No object has two forms at once, but the choice is an `anyOf`,
//! because tools expect that a `oneOf` has different members in each form.

use scheduler_model::task::ChangeInput;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// An object with several forms.
pub(super) struct Split {
    /// The name of its schema.
    pub(super) schema: &'static str,
    pub(super) forms: &'static [Form],
    /// The members that all forms of this object have, although the list of forms names them.
    /// Another object uses the same list.
    pub(super) common: &'static [&'static str],
    /// Whether each form has a named schema.
    pub(super) is_named: bool,
}

/// A form of an object.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) required: &'static [&'static str],
    /// The optional members of the form, among the members that not every form has.
    pub(super) optional: &'static [&'static str],
    /// The value of the member `type`, if the object has one.
    pub(super) kind: Option<&'static str>,
}

/// The forms of a new task, by its schedule.
const SCHEDULES: &[Form] = &[
    Form {
        name: "NewTaskAtTime",
        description: "A task that fires once, at a time.",
        required: &["time"],
        optional: &[
            "timezone",
            "jitterSeconds",
            "windowSeconds",
            "misfire",
            "expireAfterSeconds",
            "words",
        ],
        kind: Some("scheduled"),
    },
    Form {
        name: "NewTaskAfterDelay",
        description: "A task that fires once, after a delay.",
        required: &["delayInSeconds"],
        optional: &["jitterSeconds", "windowSeconds", "misfire", "expireAfterSeconds", "words"],
        kind: Some("delayed"),
    },
    Form {
        name: "NewCronTask",
        description: "A task that recurs by cron expressions.",
        required: &["cron"],
        optional: &[
            "timezone",
            "startAt",
            "endAt",
            "maxRuns",
            "exclude",
            "jitterSeconds",
            "windowSeconds",
            "misfire",
            "overlap",
            "expireAfterSeconds",
            "words",
        ],
        kind: Some("cron"),
    },
    Form {
        name: "NewIntervalTask",
        description: "A task that recurs at an interval.",
        required: &["everySeconds"],
        optional: &[
            "anchor",
            "timezone",
            "startAt",
            "endAt",
            "maxRuns",
            "exclude",
            "jitterSeconds",
            "windowSeconds",
            "misfire",
            "overlap",
            "expireAfterSeconds",
            "words",
        ],
        kind: Some("every"),
    },
    Form {
        name: "NewRuleTask",
        description: "A task that recurs by a rule of RFC 5545.",
        required: &["rrule", "startAt"],
        optional: &[
            "timezone",
            "endAt",
            "maxRuns",
            "exclude",
            "jitterSeconds",
            "windowSeconds",
            "misfire",
            "overlap",
            "expireAfterSeconds",
            "words",
        ],
        kind: Some("rrule"),
    },
    Form {
        name: "NewTaskInWords",
        description: "A task whose schedule is a sentence in English or German.",
        required: &["schedule"],
        optional: &[
            "timezone",
            "startAt",
            "endAt",
            "maxRuns",
            "exclude",
            "jitterSeconds",
            "windowSeconds",
            "misfire",
            "overlap",
            "expireAfterSeconds",
        ],
        kind: Some("words"),
    },
    Form {
        name: "NewUnscheduledTask",
        description: "A task that does not fire by itself.",
        required: &["type"],
        optional: &[],
        kind: Some("no-schedule"),
    },
];

/// A time or a delay.
const TIMES: &[Form] = &[
    Form {
        name: "",
        description: "At a time.",
        required: &["time"],
        optional: &["timezone"],
        kind: None,
    },
    Form {
        name: "",
        description: "After a delay.",
        required: &["delayInSeconds"],
        optional: &[],
        kind: None,
    },
];

/// By ids, by a filter, or all.
const SELECTIONS: &[Form] = &[
    Form { name: "", description: "By id.", required: &["ids"], optional: &[], kind: None },
    Form {
        name: "",
        description: "By a filter.",
        required: &["filter"],
        optional: &["dryRun"],
        kind: None,
    },
    Form {
        name: "",
        description: "Every task.",
        required: &["all"],
        optional: &["dryRun"],
        kind: None,
    },
];

/// The combinations of selections and times.
const SELECTIONS_AND_TIMES: &[Form] = &[
    Form {
        name: "",
        description: "By id, to a time.",
        required: &["ids", "time"],
        optional: &["timezone"],
        kind: None,
    },
    Form {
        name: "",
        description: "By id, after a delay.",
        required: &["ids", "delayInSeconds"],
        optional: &[],
        kind: None,
    },
    Form {
        name: "",
        description: "By a filter, to a time.",
        required: &["filter", "time"],
        optional: &["timezone", "dryRun"],
        kind: None,
    },
    Form {
        name: "",
        description: "By a filter, after a delay.",
        required: &["filter", "delayInSeconds"],
        optional: &["dryRun"],
        kind: None,
    },
    Form {
        name: "",
        description: "Every task, to a time.",
        required: &["all", "time"],
        optional: &["timezone", "dryRun"],
        kind: None,
    },
    Form {
        name: "",
        description: "Every task, after a delay.",
        required: &["all", "delayInSeconds"],
        optional: &["dryRun"],
        kind: None,
    },
];

/// At least one of two bounds.
const LIMITS: &[Form] = &[
    Form {
        name: "",
        description: "Bounds how many runs are in flight.",
        required: &["concurrency"],
        optional: &["perSecond"],
        kind: None,
    },
    Form {
        name: "",
        description: "Bounds how many runs start in a second.",
        required: &["perSecond"],
        optional: &["concurrency"],
        kind: None,
    },
];

/// The objects with several forms.
pub(super) const SPLITS: &[Split] = &[
    Split { schema: "NewTask", forms: SCHEDULES, common: &[], is_named: true },
    // The time zone of a preview also applies to a local time in `from`.
    Split { schema: "PreviewRequest", forms: SCHEDULES, common: &["timezone"], is_named: false },
    Split { schema: "Reschedule", forms: TIMES, common: &[], is_named: false },
    Split { schema: "Limit", forms: LIMITS, common: &[], is_named: false },
    Split { schema: "Selection", forms: SELECTIONS, common: &[], is_named: false },
    Split { schema: "PauseMany", forms: SELECTIONS, common: &[], is_named: false },
    Split { schema: "RescheduleMany", forms: SELECTIONS_AND_TIMES, common: &[], is_named: false },
];

impl Split {
    /// Replaces the flat schema of the object by a choice between the schemas of its forms.
    pub(super) fn apply(&self, schemas: &mut Map<String, Value>) {
        let Some(flat) = schemas.remove(self.schema) else { return };
        let divided: BTreeSet<&str> = self
            .forms
            .iter()
            .flat_map(|form| form.required.iter().chain(form.optional))
            .copied()
            .filter(|name| !self.common.contains(name))
            .collect();
        let mut choice = Vec::new();
        for form in self.forms {
            let schema = form.schema(&flat, &divided);
            if self.is_named {
                choice.push(json!({ "$ref": format!("#/components/schemas/{}", form.name) }));
                schemas.insert(form.name.to_owned(), schema);
            } else {
                choice.push(schema);
            }
        }
        let mut description = flat["description"].as_str().unwrap_or_default().to_owned();
        let mut members = flat["properties"].as_object().into_iter().flatten();
        if members.any(|(_, member)| member["readOnly"] == true) {
            description.push_str(
                " Members that are marked as read-only are ignored: an answer shows them, and the scheduler sets them.",
            );
        }
        schemas
            .insert(self.schema.to_owned(), json!({ "description": description, "anyOf": choice }));
    }
}

impl Form {
    /// Returns the schema of the form. `divided` are the members that not every form has.
    fn schema(&self, flat: &Value, divided: &BTreeSet<&str>) -> Value {
        let mut properties = flat["properties"].as_object().cloned().unwrap_or_default();
        for (name, property) in &mut properties {
            let name = name.as_str();
            if property["readOnly"] == true {
                // Every form has all of these members. The description of the object explains them.
                *property = json!({ "readOnly": true });
            } else if name == "type"
                && let Some(kind) = self.kind
            {
                property["enum"] = json!([kind]);
            } else if divided.contains(name)
                && !self.required.contains(&name)
                && !self.optional.contains(&name)
            {
                *property = json!({ "type": "null" });
            }
        }
        json!({
            "type": "object",
            "description": self.description,
            "properties": properties,
            "required": self.required,
            "additionalProperties": false,
        })
    }
}

/// Names the forms of a callback and gives each a schema. A callback with two kinds of calls has
/// two: by a request, and by a function.
pub(super) fn split_calls(schemas: &mut Map<String, Value>) {
    let Some(callback) = schemas.get_mut("Callback") else { return };
    let Some(kinds) = callback.as_object_mut().and_then(|callback| callback.remove("oneOf")) else {
        return;
    };
    let mut choice = Vec::new();
    for kind in kinds.as_array().into_iter().flatten() {
        let name = match kind["properties"]["type"]["const"].as_str().unwrap_or_default() {
            "webhook" => "Webhook",
            "service" => "Service",
            "durable-object" => "DurableObject",
            "handler" => "Handler",
            "queue" => "Queue",
            other => other,
        };
        if kind.get("oneOf").is_none() {
            choice.push((format!("{name}Callback"), kind.clone()));
            continue;
        }
        for (call, own, others) in [
            ("Request", "path", &["function"][..]),
            ("Function", "function", &["path", "method", "headers"]),
        ] {
            let mut schema = kind.clone();
            if let Some(schema) = schema.as_object_mut() {
                schema.remove("oneOf");
            }
            for other in others {
                schema["properties"][other] = json!({ "type": "null" });
            }
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(json!(own));
            }
            choice.push((format!("{name}{call}Callback"), schema));
        }
    }
    callback["anyOf"] = choice
        .iter()
        .map(|(name, _)| json!({ "$ref": format!("#/components/schemas/{name}") }))
        .collect();
    schemas.extend(choice);
}

/// The parts of the body of a change that its operations accept: name, description and members.
const CHANGES: &[(&str, &str, &[&str])] = &[
    ("Selection", "Which tasks, by id, by a filter, or all.", ChangeInput::SELECTION),
    ("Pause", "Why a task is paused.", ChangeInput::PAUSE),
    ("PauseMany", "Which tasks, by id, by a filter, or all, and why.", ChangeInput::PAUSE_MANY),
    ("Reschedule", "The new time of a task, or a delay.", ChangeInput::RESCHEDULE),
    (
        "RescheduleMany",
        "Which tasks, by id, by a filter, or all, and their new time, or a delay.",
        ChangeInput::RESCHEDULE_MANY,
    ),
];

/// Adds the schemas for the bodies of changes, which one type parses.
pub(super) fn add_changes(schemas: &mut Map<String, Value>) {
    let Some(change) = schemas.get("ChangeInput").cloned() else { return };
    for (name, description, members) in CHANGES {
        let taken = change["properties"].as_object().into_iter().flatten();
        let properties: Map<String, Value> = taken
            .filter(|(member, _)| members.contains(&member.as_str()))
            .map(|(member, schema)| (member.clone(), schema.clone()))
            .collect();
        let schema = json!({
            "type": "object", "description": description, "properties": properties, "additionalProperties": false
        });
        schemas.insert((*name).to_owned(), schema);
    }
}

/// Adds the schemas for the merge patch (RFC 7396) of a task, in which every member is optional,
/// and null removes it. The schemas must still be flat: this runs before they are split.
pub(super) fn add_patches(schemas: &mut Map<String, Value>) {
    for (name, patch) in
        [("Callback", "CallbackPatch"), ("Misfire", "MisfirePatch"), ("NewTask", "TaskPatch")]
    {
        let Some(schema) = schemas.get(name) else { continue };
        let mut properties = Map::new();
        for form in std::iter::once(schema).chain(schema["oneOf"].as_array().into_iter().flatten())
        {
            for (name, property) in form["properties"].as_object().into_iter().flatten() {
                match properties.get_mut(name) {
                    None => drop(properties.insert(name.clone(), patch_of(property))),
                    Some(merged) => merge_constants(merged, property),
                }
            }
        }
        // The id is in the path.
        properties.remove("id");
        let description = match name {
            "NewTask" => {
                "A JSON merge patch of a task. Members that are absent stay as they are, unless they do not belong to the new kind of schedule. Null removes a member, objects are merged, lists are replaced as a whole, and so is a callback by one of another type."
            }
            _ => "A merge patch: members that are absent stay as they are.",
        };
        let schema = json!({
            "type": "object", "description": description, "properties": properties, "additionalProperties": false
        });
        schemas.insert(patch.to_owned(), schema);
    }
}

/// Returns the schema for the patch of a member.
fn patch_of(property: &Value) -> Value {
    let mut patch = property.clone();
    for name in ["Callback", "Misfire"] {
        if patch["$ref"] == format!("#/components/schemas/{name}") {
            patch["$ref"] = json!(format!("#/components/schemas/{name}Patch"));
        }
    }
    if let Some(Value::Object(values)) = patch.get_mut("additionalProperties") {
        make_nullable(values);
    }
    patch
}

/// Merges the constants of two forms into one member.
fn merge_constants(merged: &mut Value, other: &Value) {
    let (Some(merged), Some(constant)) = (merged.as_object_mut(), other.get("const")) else {
        return;
    };
    let mut constants: Vec<Value> = merged.remove("const").into_iter().collect();
    constants.extend(merged.get("enum").and_then(Value::as_array).cloned().unwrap_or_default());
    constants.push(constant.clone());
    merged.insert("enum".to_owned(), Value::Array(constants));
}

/// Makes each optional member of requests nullable, at all levels. `kept` are the exceptions, as
/// object and name.
pub(super) fn let_optional_members_be_null(schema: &mut Value, name: &str, kept: &[(&str, &str)]) {
    match schema {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| let_optional_members_be_null(item, name, kept));
        }
        Value::Object(object) => {
            let required: Vec<Value> =
                object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            for (member, property) in
                object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
            {
                let is_kept = required.iter().any(|required| required == member)
                    || kept.contains(&(name, member.as_str()));
                if let Some(property) = property.as_object_mut().filter(|_| !is_kept) {
                    make_nullable(property);
                }
            }
            object.values_mut().for_each(|value| let_optional_members_be_null(value, name, kept));
        }
        _ => {}
    }
}

/// Makes a schema nullable.
fn make_nullable(schema: &mut Map<String, Value>) {
    if let Some(reference) = schema.remove("$ref") {
        schema.insert("anyOf".to_owned(), json!([{ "$ref": reference }, { "type": "null" }]));
        return;
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.push(json!({ "type": "null" }));
        return;
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind != "null" => {
            let types = json!([kind, "null"]);
            schema.insert("type".to_owned(), types);
        }
        _ => return,
    }
    if let Some(constant) = schema.remove("const") {
        schema.insert("enum".to_owned(), json!([constant]));
    }
    if let Some(constants) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        constants.push(Value::Null);
    }
}
