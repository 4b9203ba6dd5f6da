import { useEffect, useState } from "preact/hooks";
import { Button, ErrorNote } from "../components/basics";
import { TextField } from "../components/field";
import { endedBecause, endSession, hasSignedOut } from "../state/session";
import { keyOfLink, signIn } from "../state/signin";

// Read at once, so that the key does not stay in the address bar.
const fromLink = keyOfLink();
if (fromLink) endSession();

export function SignIn() {
  const [key, setKey] = useState(endedBecause.value === null ? (fromLink?.key ?? "") : "");
  const [namespace, setNamespace] = useState(fromLink?.namespace ?? "");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  const enter = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await signIn(key.trim(), namespace.trim());
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  useEffect(() => {
    document.title = "Sign in · Scheduler";
    if (fromLink && key !== "" && endedBecause.value === null && !fromLink.isUsed) {
      fromLink.isUsed = true;
      void enter();
    }
  }, []);

  return (
    <main class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <h1>
          <img src="/favicon.svg" alt="" width="24" height="24" /> Sign in
        </h1>
        {endedBecause.value && (
          <p class="note warn" role="alert">
            You were signed out: {endedBecause.value}
          </p>
        )}
        {hasSignedOut.value && (
          <p class="note" role="status">
            This tab is signed out. If the dashboard is open in other tabs, they are signed in until you sign out there or close them.
          </p>
        )}
        <TextField label="API key" type="password" value={key} onChange={setKey} isRequired isCode autofocus help="A key from the secret API_KEYS, or one that was created on the page “API keys”. Locally, make dev prints it." />
        <TextField label="Namespace (optional)" value={namespace} onChange={setNamespace} help="Needed only if the key is for several namespaces and not for “default”." />
        <ErrorNote error={error} />
        <Button type="submit" kind="main" disabled={isBusy || key.trim() === ""}>
          {isBusy ? "Checking the key…" : "Sign in"}
        </Button>
        <p class="muted small">This tab keeps the key until you close it. It sends the key to this scheduler only.</p>
      </form>
    </main>
  );
}
