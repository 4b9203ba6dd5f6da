// The small parts that every page is made of.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, Unreachable } from "../api/client";
import { go } from "../state/router";
import { tell } from "../state/notices";
import { clockAt, fullTime, HERE, isRepeated, splitAtInstants } from "../lib/time";
import { Icon, type IconName } from "./icons";

type ButtonKind = "plain" | "main" | "danger" | "quiet";

interface ButtonProps extends Omit<JSX.IntrinsicElements["button"], "icon" | "ref"> {
  kind?: ButtonKind;
  icon?: IconName;
  children?: ComponentChildren;
}

export function Button({ kind = "plain", icon, children, type = "button", ...rest }: ButtonProps) {
  return (
    <button type={type} {...rest} class={`button ${kind} ${children ? "" : "only-icon"} ${typeof rest.class === "string" ? rest.class : ""}`}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A link to a page of the dashboard. */
export function Link({ to, children, ...rest }: { to: string; children: ComponentChildren; class?: string; title?: string; tabIndex?: number; "aria-current"?: "page" | undefined }) {
  return (
    <a href={`#${to}`} {...rest}>
      {children}
    </a>
  );
}

/** A link that looks like a button. */
export function LinkButton({ to, kind = "plain", icon, children }: { to: string; kind?: ButtonKind; icon?: IconName; children: ComponentChildren }) {
  return (
    <a href={`#${to}`} class={`button ${kind}`}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

interface TimeProps {
  at: number | undefined;
  zone?: string;
  /** Whether a heading names the zone. The offset is shown only if the clock shows this time twice. */
  isBare?: boolean;
  /** Another instant beside this one. The date and the offset are omitted if both have the same. */
  beside?: number | undefined;
}

/** Shows an instant on the clock of a zone, never ambiguously. */
export function Time({ at, zone = HERE, isBare = false, beside }: TimeProps) {
  if (at === undefined) return <span class="muted">–</span>;
  const { weekday, date, time, offset } = clockAt(at, zone);
  const other = beside === undefined ? undefined : clockAt(beside, zone);
  const hasDate = other?.date !== date;
  const hasOffset = other ? other.offset !== offset : !isBare || isRepeated(at, zone);
  const title = `${fullTime(at, HERE)} (${HERE})\n${fullTime(at, "UTC")}`;
  return (
    <time dateTime={new Date(at).toISOString()} title={title} class="time">
      {hasDate && (
        <>
          <span class="weekday">{weekday} </span>
          {date}{" "}
        </>
      )}
      {time}
      {hasOffset && <span class="muted"> {offset}</span>}
    </time>
  );
}

/** Shows a text of the API with its instants on the clock of the viewer. */
export function ApiText({ children }: { children: string }) {
  return (
    <>
      {splitAtInstants(children).map((part, index) => (typeof part === "number" ? <Time key={index} at={part} /> : part))}
    </>
  );
}

const TONES: Readonly<Record<string, string>> = {
  scheduled: "calm",
  running: "active",
  retrying: "warn",
  held: "warn",
  paused: "calm",
  unscheduled: "calm",
  "dead-lettered": "bad",
  cancelled: "calm",
  succeeded: "good",
  "handed-over": "good",
  failed: "bad",
  expired: "warn",
  skipped: "warn",
  open: "bad",
  "half-open": "warn",
};

/** Shows a status or an outcome as a word with a colored dot. */
export function Badge({ value }: { value: string }) {
  return (
    <span class={`badge ${TONES[value] ?? "calm"}`}>
      <span class="dot" aria-hidden="true" />
      {value}
    </span>
  );
}

interface TagProps {
  children: ComponentChildren;
  to?: string;
  title?: string;
  /** Whether the keyboard passes it over. */
  isSkipped?: boolean;
}

export function Tag({ children, to, title, isSkipped = false }: TagProps) {
  return to ? (
    <Link to={to} class="tag" {...(title === undefined ? {} : { title })} {...(isSkipped ? { tabIndex: -1 } : {})}>
      {children}
    </Link>
  ) : (
    <span class="tag">{children}</span>
  );
}

/** Shows the heading of a page and its buttons, and sets the title of the document. */
export function PageHead({ title, beside, children, about }: { title: string; beside?: ComponentChildren; children?: ComponentChildren; about?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Scheduler`;
  }, [title]);
  return (
    <header class="page-head">
      <div class="page-title">
        <div class="row">
          <h1 tabIndex={-1}>{title}</h1>
          {beside}
        </div>
        {about && <p class="muted">{about}</p>}
      </div>
      <div class="actions">{children}</div>
    </header>
  );
}

/** Says that a list is empty, and how to fill it. */
export function Empty({ title, children, action }: { title: string; children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{children}</p>
      {action && <div class="actions">{action}</div>}
    </div>
  );
}

/** Advice on the types of problems whose answers do not say what to do. */
const ADVICE: Readonly<Record<string, string>> = {
  forbidden: "Sign in with a key that has this scope, or ask its owner for one.",
  "no-task": "It was cancelled, or it has ended. Its page shows its history.",
  "no-namespace": "Choose another namespace, or create this one with an operator's key.",
  "other-version": "Read it again, and repeat your change.",
  quota: "Wait, or raise the quota of the namespace.",
};

/** Shows the text of an error. Marks the field of a refusal, and names it once. */
function Detail({ error }: { error: Error }) {
  const text = error.message;
  const field = error instanceof ApiError ? error.problem.field : undefined;
  if (field === undefined) return <>{text}</>;
  const rest = text.startsWith(`${field} `) ? text.slice(field.length + 1) : text;
  return (
    <>
      <code>{field}</code> {rest}
    </>
  );
}

/** Shows an error and what to do about it. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  const isProblem = error instanceof ApiError;
  const name = isProblem ? error.problem.type.replace("/problems/", "") : "";
  return (
    <div class="note bad" role="alert">
      <p>
        {/* The text about a key says all that its title says. */}
        {name !== "unauthorized" && <strong>{isProblem ? error.problem.title : error instanceof Unreachable ? "No answer" : "Something went wrong"}. </strong>}
        <Detail error={error as Error} />
      </p>
      <p class="row">
        {ADVICE[name]}
        {isProblem && error.problem.type.startsWith("/problems/") && (
          <a href={error.problem.type} target="_blank" rel="noreferrer">
            What to do
          </a>
        )}
        {isProblem && error.requestId && <span class="muted">request {error.requestId}</span>}
        {onRetry && <Button onClick={onRetry}>Try again</Button>}
      </p>
    </div>
  );
}

/** A button that copies a text. */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 2_000);
    } catch {
      tell("The browser does not allow this page to copy. Select the text and copy it.", { isBad: true });
    }
  };
  return (
    <Button kind="quiet" icon="copy" onClick={copy}>
      {isDone ? "Copied" : label}
    </Button>
  );
}

export function Loading({ what = "Reading" }: { what?: string }) {
  return (
    <p class="loading muted" role="status">
      {what}…
    </p>
  );
}

/** Offers a choice of one value as a row of buttons. The button of the chosen value is pressed. */
export function Segments<Value extends string>({ label, value, options, onChange }: { label: string; value: Value; options: readonly (readonly [Value, string])[]; onChange: (value: Value) => void }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map(([option, text]) => (
        <button type="button" key={option} aria-pressed={option === value} onClick={() => onChange(option)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Opens the page of a row, unless the click was on a control in the row. */
export function openRow(event: MouseEvent, to: string): void {
  const inside = (event.target as Element).closest("a, button, input, label");
  if (!inside && !event.ctrlKey && !event.metaKey) go(to);
}
