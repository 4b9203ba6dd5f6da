// Fields of forms, each with its label, its help and its error.

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { useUnread } from "../state/unread";

interface FieldProps {
  label: string;
  help?: ComponentChildren;
  error?: string | undefined;
  children: (attributes: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean }) => ComponentChildren;
}

/** Puts a label above a control, and help or an error below it. */
export function Field({ label, help, error, children }: FieldProps) {
  const id = useId();
  const note = error || help ? `${id}-note` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": note, "aria-invalid": error !== undefined })}
      {note && (
        <p id={note} class={error ? "field-error" : "field-help"}>
          {error ?? help}
        </p>
      )}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: ComponentChildren;
  error?: string | undefined;
  type?: "text" | "password" | "number" | "datetime-local" | "search" | "url";
  placeholder?: string;
  /** The id of a list of suggestions. */
  list?: string;
  isRequired?: boolean;
  isCode?: boolean;
  step?: string;
  min?: string;
  autofocus?: boolean;
  autocomplete?: string;
}

export function TextField({ label, value, onChange, help, error, type = "text", isRequired, isCode, autofocus, autocomplete = "off", list, ...rest }: TextProps) {
  return (
    <Field label={label} help={help} error={error}>
      {(attributes) => (
        <input
          {...attributes}
          {...rest}
          list={list}
          class={isCode ? "code" : ""}
          // Preact's types require one fixed kind of input. All of these kinds take the same attributes.
          type={type as "url"}
          value={value}
          required={isRequired ?? false}
          spellcheck={false}
          autocomplete={autocomplete}
          autofocus={autofocus ?? false}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface AreaProps extends Pick<TextProps, "label" | "value" | "onChange" | "help" | "error"> {
  rows?: number;
  /** Whether the text cannot be parsed yet. The form then holds another value than the field shows. */
  isUnread?: boolean;
}

/** Returns whether a form shows a text that cannot be parsed yet, and moves the focus there. Such a form must not be sent. */
export function hasUnread(form: HTMLFormElement): boolean {
  const area = form.querySelector<HTMLElement>("[data-unread]");
  const hidden = area?.closest("details");
  if (hidden) hidden.open = true;
  area?.focus();
  return area !== null;
}

/** Sends a form from any of its fields with Ctrl Enter, also from those in which Enter begins a line. */
export function submitOnKeys(event: TargetedKeyboardEvent<HTMLFormElement>): void {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.currentTarget.requestSubmit();
}

/** Moves the focus to the first field that is marked as wrong, with its note in view. */
export function focusInvalid(): void {
  const field = document.querySelector<HTMLElement>("[aria-invalid=true]");
  field?.focus({ preventScroll: true });
  field?.closest(".field")?.scrollIntoView({ block: "center" });
}

export function TextArea({ label, value, onChange, help, error, rows = 4, isUnread = false }: AreaProps) {
  useUnread(label, isUnread);
  return (
    <Field label={label} help={help} error={error}>
      {(attributes) => (
        <textarea {...attributes} data-unread={isUnread || undefined} class="code" rows={rows} spellcheck={false} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
    </Field>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
  help?: ComponentChildren;
  error?: string | undefined;
}

export function Choice({ label, value, options, onChange, help, error }: ChoiceProps) {
  return (
    <Field label={label} help={help} error={error}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map(([option, text]) => (
            <option key={option} value={option} selected={option === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Check({ label, isChecked, onChange, isLabelHidden = false }: { label: string; isChecked: boolean; onChange: (checked: boolean) => void; isLabelHidden?: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" checked={isChecked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span class={isLabelHidden ? "hidden" : ""}>{label}</span>
    </label>
  );
}

interface FoldProps {
  summary: string;
  /** Whether something in it must be visible: a value or an error. It opens then, and does not close by itself. */
  isUsed: boolean;
  children: ComponentChildren;
}

/** A part of a form that is closed until it is used. */
export function Fold({ summary, isUsed, children }: FoldProps) {
  const [isOpen, setOpen] = useState(isUsed);
  useEffect(() => {
    if (isUsed) setOpen(true);
  }, [isUsed]);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
