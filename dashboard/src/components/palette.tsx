// The command palette: every page and every action by a few keys.

import { signal } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { PAGES } from "../pages/pages";
import { go, pageWith, taskPath } from "../state/router";
import { isLive } from "../state/live";
import { namespaceNames } from "../state/directory";
import { mayRead } from "../state/session";
import { signOut, switchNamespace } from "../state/signin";
import { theme } from "../state/theme";
import { tellError } from "../state/notices";
import { useModal } from "./dialog";

interface Command {
  title: string;
  hint?: string;
  run: () => void;
}

const isOpen = signal(false);
/** The commands of the current page. */
const ofPage = signal<readonly Command[]>([]);

export const openPalette = (): void => {
  isOpen.value = true;
};

/** Adds commands to the palette while the page is shown. */
export function useCommands(commands: readonly Command[], keys: readonly unknown[]): void {
  useEffect(() => {
    ofPage.value = commands;
    return () => {
      ofPage.value = [];
    };
  }, keys);
}

function everywhere(): Command[] {
  return [
    ...PAGES.filter((page) => page.isOffered.value).map((page) => ({ title: page.title, hint: `g ${page.shortcut}`, run: () => go(page.path) })),
    ...(["system", "light", "dark"] as const).map((choice) => ({ title: `Theme: ${choice}`, run: () => void (theme.value = choice) })),
    { title: isLive.value ? "Stop live updates" : "Start live updates", run: () => void (isLive.value = !isLive.value) },
    ...namespaceNames.value.map((name) => ({ title: `Namespace: ${name}`, run: () => void switchNamespace(name).catch((error) => tellError(`The namespace ${name} was not opened`, error)) })),
    { title: "Keyboard shortcuts", hint: "?", run: () => go("/help") },
    { title: "Sign out", run: signOut },
  ];
}

/** Returns the commands that match a text. Those for an id and for a search come last. */
function matching(text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...ofPage.value, ...everywhere()].filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)));
  if (text.trim() === "" || !mayRead.value) return found;
  return [
    ...found,
    { title: `Open the task “${text.trim()}”`, run: () => go(taskPath(text.trim())) },
    { title: `Tasks whose id begins with “${text.trim()}”`, run: () => go(pageWith("/tasks", { prefix: text.trim() })) },
    { title: `Tasks whose id or description contains “${text.trim()}”`, run: () => go(pageWith("/tasks", { text: text.trim() })) },
  ];
}

export function Palette() {
  return isOpen.value ? <OpenPalette /> : null;
}

function OpenPalette() {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const commands = matching(text);
  const close = () => {
    isOpen.value = false;
  };
  useModal(ref);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((at + step + commands.length) % Math.max(commands.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(commands[at]);
    }
  };
  return (
    <dialog ref={ref} class="palette" aria-label="Command palette" onClose={close} onClick={(event) => event.target === ref.current && close()}>
      <input
        type="text"
        role="combobox"
        aria-label="A page, an action or the id of a task"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={commands.length > 0 ? `${id}-${at}` : undefined}
        placeholder="A page, an action or the id of a task"
        value={text}
        autofocus
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id={`${id}-list`} aria-label="Commands" class="palette-list">
        {commands.map((command, index) => (
          <div role="option" key={command.title} id={`${id}-${index}`} aria-selected={index === at} onClick={() => run(command)} onMouseMove={() => setAt(index)}>
            <span>{command.title}</span>
            {command.hint && <kbd>{command.hint}</kbd>}
          </div>
        ))}
      </div>
    </dialog>
  );
}
