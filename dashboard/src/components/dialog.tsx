// Dialogs. They are the browser's own, which keep the focus inside and close with Escape.

import type { ComponentChildren, RefObject, TargetedSubmitEvent } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { isAbout, refusalOf } from "../lib/refusal";
import { Button, ErrorNote } from "./basics";
import { hasUnread, TextField } from "./field";

/** Sets the focus to the heading of the page. */
const focusHeading = (): void => document.querySelector<HTMLElement>("main h1")?.focus();

/**
 * Returns the focus to an element. A dialog often removes the element that opened it, such as the row of a deleted limit. Then
 * the heading of the page gets the focus, so that keyboard users do not start at the top of the document.
 */
function returnFocus(to: HTMLElement): void {
  if (to.isConnected) to.focus();
  if (document.activeElement !== to) return focusHeading();
  const observer = new MutationObserver(() => {
    if (document.activeElement === to) return;
    observer.disconnect();
    if (document.activeElement === document.body) focusHeading();
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

/** Keeps a dialog open while its component is mounted, and then returns the focus to the element that had it before. */
export function useModal(ref: RefObject<HTMLDialogElement | null>): void {
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      // The event of this comes later, when another dialog may be open in its place, which it must not close.
      dialog?.addEventListener("close", (event) => event.stopImmediatePropagation(), { capture: true });
      // While it is open, nothing outside of it can be focused.
      dialog?.close();
      // Another dialog may be open in its place.
      if (before instanceof HTMLElement && !document.querySelector("dialog[open]")) returnFocus(before);
    };
  }, []);
}

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  isWide?: boolean;
  /** Whether only a button in the content closes the dialog, because the content cannot be shown again. */
  isKept?: boolean;
}

export function Dialog({ title, onClose, children, isWide = false, isKept = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useModal(ref);
  return (
    <dialog ref={ref} class={isWide ? "dialog wide" : "dialog"} aria-labelledby={id} onCancel={(event) => isKept && event.preventDefault()} onClose={onClose}>
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        {!isKept && <Button kind="quiet" icon="close" aria-label="Close" onClick={onClose} />}
      </header>
      {children}
    </dialog>
  );
}

interface ActionDialogProps {
  title: string;
  verb: string;
  /** Carries out the action. The dialog closes if it succeeds, and shows the error if it fails. */
  onAct: () => Promise<unknown>;
  onClose: () => void;
  /** The content. A function gets the refusal of each field by its name in the API; undefined for a field that was not refused. */
  children?: ComponentChildren | ((errorOf: (field: string) => string | undefined) => ComponentChildren);
  isDanger?: boolean;
  isDisabled?: boolean;
  /** The text that the user must type to confirm the action. */
  confirmWith?: string;
  isWide?: boolean;
}

/** Asks for confirmation before an action. */
export function ActionDialog({ title, verb, onAct, onClose, children, isDanger = false, isDisabled = false, confirmWith, isWide = false }: ActionDialogProps) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [typed, setTyped] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const refusal = error instanceof ApiError ? refusalOf(error.problem, {}) : undefined;
  /** Whether a field shows the refusal, by the name that the form gives it. */
  const [isMarked, setMarked] = useState(false);
  // The refused field is marked only after this render.
  useLayoutEffect(() => {
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    setMarked(Boolean(field));
    field?.focus();
  }, [error]);
  const act = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (hasUnread(event.currentTarget)) return;
    setBusy(true);
    setError(undefined);
    try {
      await onAct();
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose} isWide={isWide}>
      <form ref={form} onSubmit={act} class="dialog-body">
        {typeof children === "function" ? children((field) => (refusal && isAbout(refusal, field) ? refusal.text : undefined)) : children}
        {confirmWith !== undefined && <TextField label={`Type “${confirmWith}” to confirm`} value={typed} onChange={setTyped} />}
        {isMarked ? (
          <p class="bad" role="alert">
            Nothing was changed: see what is marked above.
          </p>
        ) : (
          <ErrorNote error={error} />
        )}
        <footer class="actions end">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" kind={isDanger ? "danger" : "main"} disabled={isBusy || isDisabled || (confirmWith !== undefined && typed !== confirmWith)}>
            {verb}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
