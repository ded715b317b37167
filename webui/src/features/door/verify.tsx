import { useState } from "react";
import { Link } from "wouter";
import { ask, Refused } from "../../api/http.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { Problem } from "../../ui/field.tsx";
import { Door } from "./door.tsx";
import { useSubmit } from "../../state/submit.ts";

/** Confirming an e-mail address with the link from a mail. The button is there for programs that open links before their reader does. */
export function Verify({ token, signedIn }: { token: string; signedIn: boolean }) {
  const [done, setDone] = useState(false);
  const [spent, setSpent] = useState(false);
  const { busy, problem, run } = useSubmit();
  const onward = (
    <Link href="/" className={buttonClass("pri", "big")}>
      {signedIn ? "Go to the rooms" : "Sign in"}
    </Link>
  );
  if (done) {
    return (
      <Door title="Your address is confirmed" lead={signedIn ? "It is the address of your account now." : "You can sign in now."}>
        {onward}
      </Door>
    );
  }
  if (spent) {
    return (
      <Door
        title="This link does not work any more"
        lead={signedIn ? "It was used already or is too old." : "It was used already or is too old. If your address still waits, signing in brings a new one."}
      >
        {onward}
      </Door>
    );
  }
  const send = async () => {
    try {
      await ask("POST", "/api/auth/verify-email", { body: { token } });
      setDone(true);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "invalid_token") throw error;
      setSpent(true);
    }
  };
  return (
    <Door title="Confirm your e-mail address" lead="One more step: press the button.">
      {problem && <Problem>{problem}</Problem>}
      <Button kind="pri" size="big" disabled={busy} onClick={() => run(send)}>
        Confirm the address
      </Button>
    </Door>
  );
}
