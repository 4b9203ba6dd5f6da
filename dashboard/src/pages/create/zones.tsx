import { zones } from "../../lib/time";

/** Suggestions for every field with a time zone. */
export function ZoneList() {
  return (
    <datalist id="zones">
      {zones().map((zone) => (
        <option key={zone} value={zone} />
      ))}
    </datalist>
  );
}
