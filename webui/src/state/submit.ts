import { useState } from "react";
import { inWords, Refused } from "../api/http.ts";

/** A form being sent: whether it is under way, and what the server said against it. */
export interface Submission {
  readonly busy: boolean;
  /** The field that the server found wrong, as it names it; empty: the whole form. */
  readonly field: string;
  readonly problem: string | undefined;
  readonly run: (send: () => Promise<void>) => void;
}

/** Sends a form once at a time and keeps what was said against it until the next try. */
export function useSubmit(say: (error: unknown) => string = inWords): Submission {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ field: string; problem: string }>();
  const run = (send: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setFailure(undefined);
    send()
      .catch((error: unknown) => setFailure({ field: fieldOf(error), problem: say(error) }))
      .finally(() => setBusy(false));
  };
  return { busy, field: failure?.field ?? "", problem: failure?.problem, run };
}

/** Details name the field and the rule: "password: must be 8 to 72 bytes long". */
function fieldOf(error: unknown): string {
  if (!(error instanceof Refused)) return "";
  const taken = /^(email|username)_taken$/.exec(error.code)?.[1];
  return taken ?? /^([a-z_]+):/i.exec(error.details)?.[1] ?? "";
}
