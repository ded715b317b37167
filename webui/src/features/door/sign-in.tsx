import { useState } from "react";
import { Link } from "wouter";
import { inWords, Refused } from "../../api/http.ts";
import type { Session } from "../../api/session.ts";
import type { WorkspaceInfo } from "../../api/wire.ts";
import { Button } from "../../ui/button.tsx";
import { Field, Problem } from "../../ui/field.tsx";
import { Aside, Door, DoorForm } from "./door.tsx";
import { useSubmit } from "../../state/submit.ts";

/** What a refused sign-in means, in words; the server adds how many tries are left. */
function said(error: unknown): string {
  if (!(error instanceof Refused)) return inWords(error);
  if (error.status === 401) return `That name and password do not match. ${hint(error.details)}`.trim();
  if (error.code === "email_unverified") return "Your e-mail address is not confirmed yet. Open the link in the mail that is on its way to you.";
  if (error.status === 429) return `Too many tries. Wait ${error.retryAfter ?? 60} s, then try again.`;
  return inWords(error);
}

function hint(details: string): string {
  return details === "" ? "" : `${details.charAt(0).toUpperCase()}${details.slice(1)}${details.endsWith(".") ? "" : "."}`;
}

/** Signing in with a user name or an e-mail address. */
export function SignIn({ session, info, reason }: { session: Session; info?: WorkspaceInfo; reason?: string }) {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useSubmit(said);
  const place = info?.name ?? "this workspace";
  return (
    <Door
      title="Welcome back"
      lead={reason ?? `Sign in to ${place}.`}
      said={["Your conversations stay in this house.", `${place} runs on ${location.hostname}${info?.email ? "" : ", with no outside services"}.`]}
    >
      <DoorForm onSubmit={() => run(() => session.signIn(login.trim(), password))}>
        <Field
          label="User name or e-mail"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          autoFocus
          value={login}
          onChange={(e) => setLogin(e.target.value)}
        />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(e) => setPassword(e.target.value)}
          error={problem}
        />
        <Button kind="pri" size="big" type="submit" disabled={busy}>
          Sign in
        </Button>
      </DoorForm>
      {info?.registration === "open" && (
        <Aside>
          New here? <Link href="/register">Make an account</Link>
        </Aside>
      )}
      <Forgotten mail={info?.email ?? false} />
      {info?.needs_setup && <Aside>Nobody administers this workspace yet: open the setup link that the server printed.</Aside>}
    </Door>
  );
}

/** What to do about a forgotten password: a mail where the server sends any, else a word with an administrator. */
function Forgotten({ mail }: { mail: boolean }) {
  if (!mail) return <Aside>Forgot it? This server sends no e-mail, so ask an administrator for a reset link.</Aside>;
  return (
    <Aside>
      Forgot it? <Link href="/forgot">Send me a reset link</Link>
    </Aside>
  );
}

/** Nothing answered at the start. */
export function ServerAway({ onRetry }: { onRetry: () => void }) {
  return (
    <Door title="The server is not answering" lead="It may be restarting, or this device may be offline. This page tries again by itself.">
      <Problem>No answer from {location.host}.</Problem>
      <Button kind="pri" size="big" onClick={onRetry}>
        Try again now
      </Button>
    </Door>
  );
}
