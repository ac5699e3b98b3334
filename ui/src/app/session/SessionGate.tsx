// Nobody sees a page without a session: who has none is sent to log in, and comes back to where they were. When a
// session ends while a page is open, the page stays, and asks for the password above it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import { ApiError, onSessionEnd, onUnreachable } from "../../api/http";
import { getSession, logIn, type Session } from "../../api/session";
import { Button, Dialog, TextInput } from "../../design/controls";
import { ErrorNotice, Loading, Warnings } from "../../design/States";

const Context = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("useSession is for pages within SessionGate");
  return session;
}

export function SessionGate({ children }: { children: ReactNode }) {
  const { data, error } = useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => getSession(signal),
    refetchInterval: (query) => (query.state.error ? 3000 : 300_000),
  });
  const client = useQueryClient();
  const [known, setKnown] = useState<Session | null>(null);
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => onSessionEnd(() => setEnded(true)), []);
  useEffect(() => onUnreachable(() => client.invalidateQueries({ queryKey: ["session"] })), [client]);
  const isAway = error !== null;
  const wasAway = useRef(false);
  useEffect(() => {
    // It is back: everything is asked again at once.
    if (wasAway.current && !isAway) client.invalidateQueries();
    wasAway.current = isAway;
  }, [isAway, client]);
  useEffect(() => {
    if (!data) return;
    if (data.password_needed) location.assign("/set-password");
    else if (data.authenticated) setKnown(data);
    else if (known) setEnded(true);
    else location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }, [data, known]);
  if (!known) return error ? <ErrorNotice error={error} title="Vedette cannot be reached" /> : <Loading />;
  return (
    <Context.Provider value={known}>
      {isAway && <Warnings texts={["Vedette does not answer. What is shown is from before; this page tries again."]} />}
      {children}
      <LoginAgain name={known.name} isOpen={hasEnded} onDone={() => setEnded(false)} />
    </Context.Provider>
  );
}

function LoginAgain({ name, isOpen, onDone }: { name: string; isOpen: boolean; onDone: () => void }) {
  const client = useQueryClient();
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    try {
      await logIn(name, password);
      setError(null);
      onDone();
      client.invalidateQueries();
    } catch (failure) {
      setError(failure instanceof ApiError ? failure.message : String(failure));
    } finally {
      setPassword("");
      setBusy(false);
    }
  };
  return (
    <Dialog label="Log in again" isOpen={isOpen} isDismissable={false}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h2>Your session has ended</h2>
        <p>Log in again to go on where you were.</p>
        <input type="hidden" name="username" autoComplete="username" value={name} />
        <TextInput
          label={`Password of ${name}`}
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          error={error}
          autoFocus
        />
        <Button type="submit" look="primary" isDisabled={isBusy || password === ""}>
          Log in
        </Button>
      </form>
    </Dialog>
  );
}
