import { TextField } from "./field";

/** Asks for the reason of a pause. */
export function PauseNote({ value, onChange }: { value: string; onChange: (note: string) => void }) {
  return <TextField label="Note (optional)" value={value} onChange={onChange} help="Whoever looks at the task sees it until the task is resumed, with your key's name and the time." />;
}
