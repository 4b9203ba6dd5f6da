// What the parts of the form share: their properties, the texts and numbers of fields, and a field for JSON.

import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../../api/types";
import { TextArea } from "../../components/field";
import type { Aside } from "../../lib/aside";
import { hasRoundedNumber, ROUNDED } from "../../lib/definition";

export interface PartProps {
  definition: JsonObject;
  /** What was typed in the tabs that are not open. */
  aside: Aside;
  /** Sets members; undefined removes one. */
  set: (changes: Readonly<Record<string, Json | undefined>>) => void;
  /** Opens another tab. */
  open: (definition: JsonObject, aside: Aside) => void;
  /** Returns why a field was refused; undefined if it was not. */
  errorOf: (field: string) => string | undefined;
}

export const textOf = (value: Json | undefined): string => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** Reads the number in a field. A text that is not a number stays a text, which the API refuses. */
export const numberOf = (text: string): Json | undefined => (text.trim() === "" ? undefined : Number.isNaN(Number(text)) ? text : Number(text));

/** What was typed into a field for JSON. */
export interface TypedJson {
  text: string;
  /** The value for which it was typed, as the field writes it. */
  of: string;
  /** Why it cannot be read. */
  problem?: string;
}

interface JsonFieldProps {
  label: string;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  help?: string;
  error?: string | undefined;
  rows?: number;
  /** Keeps what was typed while the field is not shown. */
  keptIn?: { current: TypedJson | undefined };
}

/** A field for any JSON. A text that cannot be parsed yet changes nothing. */
export function JsonField({ label, value, onChange, help, error, rows = 4, keptIn }: JsonFieldProps) {
  const written = value === undefined ? "" : JSON.stringify(value, null, 2);
  const [typed, setTyped] = useState(keptIn?.current);
  const { problem } = typed ?? {};
  // A text belongs to the value for which it was typed. A change of the value from elsewhere discards it.
  const text = typed && (typed.of === written || problem !== undefined) ? typed.text : written;
  const keep = (next: TypedJson) => {
    setTyped(next);
    if (keptIn) keptIn.current = next;
  };
  const change = (next: string) => {
    try {
      const parsed = next.trim() === "" ? undefined : (JSON.parse(next) as Json);
      if (hasRoundedNumber(next)) throw new Error(ROUNDED);
      keep({ text: next, of: parsed === undefined ? "" : JSON.stringify(parsed, null, 2) });
      onChange(parsed);
    } catch (failure) {
      keep({ text: next, of: written, problem: failure instanceof SyntaxError ? `Not JSON yet: ${failure.message}` : (failure as Error).message });
    }
  };
  return <TextArea label={label} rows={rows} value={text} onChange={change} help={help} error={problem ?? error} isUnread={problem !== undefined} />;
}
