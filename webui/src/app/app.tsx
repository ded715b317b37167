import { useEffect, useState, useSyncExternalStore } from "react";
import { Route, Switch, useLocation } from "wouter";
import { ask } from "../api/http.ts";
import type { Session } from "../api/session.ts";
import type { Self, WorkspaceInfo } from "../api/wire.ts";
import { Register } from "../features/door/register.tsx";
import { Forgot, Reset } from "../features/door/reset.tsx";
import { Setup } from "../features/door/setup.tsx";
import { ServerAway, SignIn } from "../features/door/sign-in.tsx";
import { Verify } from "../features/door/verify.tsx";
import { Client } from "../state/client.ts";
import { ClientContext } from "../state/store.ts";
import { Toasts } from "../ui/parts.tsx";
import { Shell } from "./shell.tsx";

/** How long to wait before asking a silent server again, in milliseconds. */
const askAgain = 4_000;

/** The whole app: the door, and behind it the rooms. */
export function App({ session }: { session: Session }) {
  const standing = useSyncExternalStore(session.subscribe, () => session.standing);
  const [info, setInfo] = useState<WorkspaceInfo>();
  const [location, navigate] = useLocation();
  const away = standing.type === "unreachable";
  // A first run goes on with its second step after the account is made.
  const [settingUp, setSettingUp] = useState(location === "/setup" && window.location.hash.length > 1);

  useEffect(() => {
    // Who is in already, such as after a reload in the second step, needs no setup.
    void session.start().then(() => session.standing.type === "in" && setSettingUp(false));
  }, [session]);
  useEffect(() => {
    if (!away) return;
    const timer = setInterval(() => void session.start(), askAgain);
    return () => clearInterval(timer);
  }, [away, session]);
  useEffect(() => {
    if (standing.type === "starting" || away) return;
    ask<WorkspaceInfo>("GET", "/api/workspace").then(setInfo, () => undefined);
  }, [standing.type, away, settingUp]);

  const enter = (room: string) => {
    setSettingUp(false);
    navigate(`/rooms/${encodeURIComponent(room)}`, { replace: true });
  };
  if (standing.type === "starting") return null;
  if (away) return <ServerAway onRetry={() => void session.start()} />;
  return (
    <>
      {settingUp && location === "/setup" ? (
        <Setup session={session} code={window.location.hash.slice(1)} onDone={enter} />
      ) : location === "/verify" ? (
        <Verify token={window.location.hash.slice(1)} signedIn={standing.type === "in"} />
      ) : standing.type === "in" ? (
        <SignedIn key={standing.user.user_id} session={session} user={standing.user} info={info} />
      ) : (
        <Doors session={session} info={info} reason={standing.reason} />
      )}
      <Toasts />
    </>
  );
}

/** The pages of somebody who is not signed in. */
function Doors({ session, info, reason }: { session: Session; info?: WorkspaceInfo; reason?: string }) {
  return (
    <Switch>
      <Route path="/join/:code">{({ code }) => <Register session={session} info={info} invite={code} />}</Route>
      <Route path="/register">
        <Register session={session} info={info} />
      </Route>
      <Route path="/reset">
        <Reset token={window.location.hash.slice(1)} />
      </Route>
      <Route path="/forgot">
        <Forgot />
      </Route>
      <Route>
        <SignIn session={session} info={info} reason={reason} />
      </Route>
    </Switch>
  );
}

/** Everything behind the door, with a live connection while it is shown. */
function SignedIn({ session, user, info }: { session: Session; user: Self; info?: WorkspaceInfo }) {
  const [client] = useState(() => new Client(session, user, window.localStorage));
  useEffect(() => {
    client.start();
    return () => client.stop();
  }, [client]);
  useEffect(() => {
    if (info) client.store.dispatch({ type: "info", info });
  }, [client, info]);
  return (
    <ClientContext value={client}>
      <Shell onSignOut={() => void session.signOut()} />
    </ClientContext>
  );
}
