import { useState } from "react";
import { Link } from "wouter";
import { ask, inWords, Refused } from "../../api/http.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { Field, Problem } from "../../ui/field.tsx";
import { Aside, Door, DoorForm } from "./door.tsx";
import { useSubmit } from "../../state/submit.ts";

function said(error: unknown): string {
  if (error instanceof Refused && error.code === "invalid_token") return "This link was used already or is too old. Ask for a new one.";
  return inWords(error);
}

/** Choosing a new password with a reset link. */
export function Reset({ token }: { token: string }) {
  const [password, setPassword] = useState("");
  const [done, setDone] = useState(false);
  const { busy, field, problem, run } = useSubmit(said);
  if (done) {
    return (
      <Door title="The new password works" lead="Every other device was signed out. Sign in here to go on.">
        <Link href="/" className={buttonClass("pri", "big")}>
          Sign in
        </Link>
      </Door>
    );
  }
  const send = async () => {
    await ask("POST", "/api/auth/reset-password", { body: { token, newPassword: password } });
    setDone(true);
  };
  const onPassword = /password/i.test(field);
  return (
    <Door title="Choose a new password" lead="The link works once, for an hour.">
      <DoorForm onSubmit={() => run(send)}>
        <Field
          label="New password"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          autoFocus
          value={password}
          onChange={(e) => setPassword(e.target.value)}
          help="At least 8 characters. A few words are easier to type than symbols."
          error={onPassword ? problem : undefined}
        />
        {problem && !onPassword && <Problem>{problem}</Problem>}
        <Button kind="pri" size="big" type="submit" disabled={busy}>
          Set the password
        </Button>
      </DoorForm>
    </Door>
  );
}

/** Asking for a reset link by mail. The answer is the same whether the address is known or not. */
export function Forgot() {
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  const { busy, problem, run } = useSubmit();
  const send = async () => {
    await ask("POST", "/api/auth/forgot-password", { body: { email } });
    setSent(true);
  };
  if (sent) return <Door title="Look into your mail" lead={`If ${email} has an account here, a reset link is on its way. It works for an hour.`} />;
  return (
    <Door title="Forgot your password?" lead="Hearth sends you a link to choose a new one.">
      <DoorForm onSubmit={() => run(send)}>
        <Field label="E-mail" type="email" autoComplete="email" required autoFocus value={email} onChange={(e) => setEmail(e.target.value)} error={problem} />
        <Button kind="pri" size="big" type="submit" disabled={busy}>
          Send the link
        </Button>
      </DoorForm>
      <Aside>
        Remembered it? <Link href="/">Sign in</Link>
      </Aside>
    </Door>
  );
}
