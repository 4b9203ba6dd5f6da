// What the parts of the form share: their properties, the texts and numbers of fields, and a field for JSON.

import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../../api/types";
import { TextArea } from "../../components/field";
import { hasRoundedNumber, ROUNDED } from "../../lib/definition";

export interface PartProps {
  definition: JsonObject;
  /** Sets members; undefined removes one. */
  set: (changes: Readonly<Record<string, Json | undefined>>) => void;
  replace: (definition: JsonObject) => void;
  /** Returns why a field was refused; undefined if it was not. */
  errorOf: (field: string) => string | undefined;
}

export const textOf = (value: Json | undefined): string => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** Reads the number in a field. A text that is not a number stays a text, which the API refuses. */
export const numberOf = (text: string): Json | undefined => (text.trim() === "" ? undefined : Number.isNaN(Number(text)) ? text : Number(text));

interface JsonFieldProps {
  label: string;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  help?: string;
  error?: string | undefined;
  rows?: number;
}

/** A field for any JSON. A text that cannot be parsed yet changes nothing. */
export function JsonField({ label, value, onChange, help, error, rows = 4 }: JsonFieldProps) {
  const written = value === undefined ? "" : JSON.stringify(value, null, 2);
  const [draft, setDraft] = useState<{ text: string; of: string }>();
  const [problem, setProblem] = useState<string>();
  // A draft belongs to the value for which it was typed. A change of the value from elsewhere discards the draft.
  const text = draft && (draft.of === written || problem !== undefined) ? draft.text : written;
  const change = (typed: string) => {
    try {
      const parsed = typed.trim() === "" ? undefined : (JSON.parse(typed) as Json);
      if (hasRoundedNumber(typed)) throw new Error(ROUNDED);
      setProblem(undefined);
      setDraft({ text: typed, of: parsed === undefined ? "" : JSON.stringify(parsed, null, 2) });
      onChange(parsed);
    } catch (failure) {
      setDraft({ text: typed, of: written });
      setProblem(failure instanceof SyntaxError ? `Not JSON yet: ${failure.message}` : (failure as Error).message);
    }
  };
  return <TextArea label={label} rows={rows} value={text} onChange={change} help={help} error={problem ?? error} isUnread={problem !== undefined} />;
}
