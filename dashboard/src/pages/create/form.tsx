// The form of a definition, for a new task and for a change of a task.

import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../../api/types";
import { Fold, TextField } from "../../components/field";
import type { Aside } from "../../lib/aside";
import { isEqual, isObject, withMembers } from "../../lib/definition";
import { textsOf } from "../../lib/items";
import { readTags, writeTags } from "../../lib/tags";
import { RETRY_DEFAULTS } from "../../lib/retry";
import { isAbout, isStillRefused, type Refusal } from "../../lib/refusal";
import { UnreadNote } from "../../components/unread-note";
import { JSON_LABEL } from "./json";
import { numberOf, textOf, type PartProps } from "./parts";
import { ScheduleFields } from "./schedule";
import { TargetFields } from "./target";
import { ZoneList } from "./zones";

function RetryFields({ definition, set, errorOf }: PartProps) {
  const retry = isObject(definition["retry"]) ? definition["retry"] : {};
  const change = (name: string, value: Json | undefined) => {
    const members = Object.entries({ ...retry, [name]: value }).filter((entry): entry is [string, Json] => entry[1] !== undefined);
    set({ retry: members.length === 0 ? undefined : Object.fromEntries(members) });
  };
  const field = (name: keyof typeof RETRY_DEFAULTS, label: string) => (
    <TextField label={label} type="number" step="any" min="0" value={textOf(retry[name])} placeholder={String(RETRY_DEFAULTS[name])} onChange={(value) => change(name, numberOf(value))} error={errorOf(`retry.${name}`)} />
  );
  return (
    <Fold summary="Retries" isUsed={definition["retry"] !== undefined || errorOf("retry") !== undefined}>
      <div class="columns">
        {field("maxAttempts", "Attempts at most")}
        {field("minBackoffSeconds", "First wait in seconds")}
        {field("factor", "Factor of each further wait")}
        {field("maxBackoffSeconds", "Longest wait in seconds")}
        {field("jitter", "Jitter of the waits, 0 to 1")}
        {field("maxDurationSeconds", "Give up after seconds")}
      </div>
      {errorOf("retry") && <p class="field-error">{errorOf("retry")}</p>}
    </Fold>
  );
}

const tagsIn = (text: string): string[] => readTags(text).filter(Boolean);

/** The field for the tags. The text keeps what is not a tag yet, such as a comma at its end. */
function TagsField({ definition, set, errorOf }: PartProps) {
  const tags = textsOf(definition["tags"]);
  const [typed, setTyped] = useState("");
  const change = (text: string) => {
    const read = tagsIn(text);
    setTyped(text);
    set({ tags: read.length === 0 ? undefined : read });
  };
  return (
    <TextField
      label="Tags (optional)"
      value={isEqual(tagsIn(typed), tags) ? typed : writeTags(tags)}
      onChange={change}
      error={errorOf("tags")}
      help="Separate tags with commas; a tag that has one is in double quotes. You can filter lists, and change many tasks, by tag."
    />
  );
}

interface FormProps {
  definition: JsonObject;
  /** What was typed in the tabs that are not open. */
  aside: Aside;
  /** Called with a changed definition, and with what is laid aside if another tab is opened. */
  onChange: (definition: JsonObject, aside?: Aside) => void;
  /** Why the definition was refused. It is shown until the refused value changes. */
  refusal: Refusal | undefined;
  /** Why the scheduler refuses to preview it. */
  previewed?: Refusal | undefined;
  /** An existing task keeps its id. */
  isIdFixed?: boolean;
}

export function DefinitionForm({ definition, aside, onChange, refusal, previewed, isIdFixed = false }: FormProps) {
  const set: PartProps["set"] = (changes) => onChange(withMembers(definition, changes));
  const current = [refusal, previewed].filter((one) => one !== undefined && isStillRefused(one, definition));
  const errorOf = (field: string) => current.find((one) => one && isAbout(one, field))?.text;
  const props: PartProps = { definition, aside, set, open: onChange, errorOf };
  return (
    <div class="stack">
      <UnreadNote what="the fields show the task" isAbout={(label) => label === JSON_LABEL} />
      <fieldset class="panel">
        <legend>Name</legend>
        <div class="columns">
          {!isIdFixed && <TextField label="Id (optional)" isCode value={textOf(definition["id"])} onChange={(id) => set({ id: id === "" ? undefined : id })} error={errorOf("id")} help="The name of the task in lists and links. Without one, the task gets a UUID." />}
          <TagsField {...props} />
        </div>
        <TextField label="Description (optional)" value={textOf(definition["description"])} onChange={(value) => set({ description: value === "" ? undefined : value })} error={errorOf("description")} />
      </fieldset>
      <ScheduleFields {...props} />
      <TargetFields {...props} />
      <fieldset class="panel">
        <legend>Limits and retries</legend>
        <div class="columns">
          <TextField label="Limit key (optional)" value={textOf(definition["limitKey"])} onChange={(value) => set({ limitKey: value === "" ? undefined : value })} error={errorOf("limitKey")} help="Tasks with the same key share a limit on runs at a time or per second: see the page Limits." />
          <TextField label="Priority, 0 to 9" type="number" min="0" placeholder="5" value={textOf(definition["priority"])} onChange={(value) => set({ priority: numberOf(value) })} error={errorOf("priority")} />
        </div>
        <RetryFields {...props} />
      </fieldset>
      <ZoneList />
    </div>
  );
}
