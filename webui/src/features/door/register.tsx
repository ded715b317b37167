import { useState } from "react";
import { Link } from "wouter";
import type { Session } from "../../api/session.ts";
import type { WorkspaceInfo } from "../../api/wire.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { EmailAndPassword, noAccount, UsernameField } from "./account-fields.tsx";
import { Aside, Door, DoorForm } from "./door.tsx";
import { useSubmit } from "../../state/submit.ts";

/** Making an account: open to everybody, with an invite, or explained when it is neither. */
export function Register({ session, info, invite }: { session: Session; info?: WorkspaceInfo; invite?: string }) {
  const [account, setAccount] = useState(noAccount);
  const [waiting, setWaiting] = useState(false);
  const submission = useSubmit();
  const place = info?.name ?? "this workspace";
  if (info?.registration === "closed") return <NotOpen place={place} why="Accounts here are made by an administrator. Ask one of them." />;
  if (info?.registration === "invite" && !invite) {
    return <NotOpen place={place} why="You need an invite link. Ask somebody who is in already to send you one." />;
  }
  if (waiting) {
    return (
      <Door title="Look into your mail" lead={`A link is on its way to ${account.email}. Open it within a day, and you can sign in.`}>
        <Aside>
          Nothing there? <Link href="/">Sign in</Link> with your new name, and another one comes.
        </Aside>
      </Door>
    );
  }
  const send = async () => setWaiting(!(await session.register({ ...account, invite })));
  return (
    <Door
      title={invite ? "Come in" : "Make an account"}
      lead={invite ? `You are invited to ${place}.` : `You will be a member of ${place}.`}
      said={["Your conversations stay in this house.", `${place} runs on ${location.hostname}${info?.email ? "" : ", with no outside services"}.`]}
    >
      <DoorForm onSubmit={() => submission.run(send)}>
        <UsernameField account={account} onChange={setAccount} submission={submission} />
        <EmailAndPassword account={account} onChange={setAccount} submission={submission} />
        <Button kind="pri" size="big" type="submit" disabled={submission.busy}>
          Make the account
        </Button>
      </DoorForm>
      <Aside>
        Here before? <Link href="/">Sign in</Link>
      </Aside>
    </Door>
  );
}

function NotOpen({ place, why }: { place: string; why: string }) {
  return (
    <Door title={`${place} is not open to everybody`} lead={why}>
      <Link href="/" className={buttonClass("pri", "big")}>
        Sign in
      </Link>
    </Door>
  );
}
