import { namespaceNames } from "../state/directory";
import { switchNamespace } from "../state/signin";
import { namespace } from "../state/session";
import { tellError } from "../state/notices";

const choose = (name: string): void => void switchNamespace(name).catch((error) => tellError(`The namespace ${name} was not opened`, error));

/** Shows the namespace, as a choice if the key may use several. */
export function NamespaceChoice() {
  const names = namespaceNames.value;
  // Without a name, the API uses the only namespace of the key, or `default`.
  const current = namespace.value || (names.length === 1 ? names[0] : "default");
  if (names.length < 2) {
    return (
      <p class="namespace muted small">
        Namespace <strong>{current}</strong>
      </p>
    );
  }
  return (
    <label class="namespace">
      <span class="muted small">Namespace</span>
      <select value={current} onChange={(event) => choose(event.currentTarget.value)}>
        {names.map((name) => (
          <option key={name} value={name} selected={name === current}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
