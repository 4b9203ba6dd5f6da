import { namespaces } from "../state/directory";
import { switchNamespace } from "../state/signin";
import { namespace } from "../state/session";
import { tellError } from "../state/notices";

/** Chooses the namespace; without a list of them, only says which it is. */
export function NamespaceChoice() {
  const known = namespaces.value;
  const current = namespace.value === "" ? (known?.some(({ name }) => name === "default") === false ? (known[0]?.name ?? "") : "default") : namespace.value;
  if (!known || known.length < 2) {
    return (
      <p class="namespace muted small">
        Namespace <strong>{namespace.value === "" ? "of the key" : current}</strong>
      </p>
    );
  }
  return (
    <label class="namespace">
      <span class="muted small">Namespace</span>
      <select value={current} onChange={(event) => void switchNamespace(event.currentTarget.value).catch(tellError)}>
        {known.map(({ name }) => (
          <option key={name} value={name} selected={name === current}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
