import { useState } from "react";
import { inWords, Refused } from "../../api/http.ts";
import type { Session } from "../../api/session.ts";
import type { Invite, Room } from "../../api/wire.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { EmailAndPassword, noAccount, UsernameField } from "./account-fields.tsx";
import { Door, DoorForm } from "./door.tsx";
import styles from "./door.module.css";
import { InviteLink } from "../../ui/invite-link.tsx";
import { useSubmit } from "../../state/submit.ts";

function said(error: unknown): string {
  if (error instanceof Refused && error.code === "wrong_setup_code") {
    return "This setup link was used already or is not the latest. The server shows the present one with: hearth setup-link";
  }
  return inWords(error);
}

/** The first run: the administrator's account, the workspace's name and its first room, then an invite for the others. */
export function Setup({ session, code, onDone }: { session: Session; code: string; onDone: (room: string) => void }) {
  const [name, setName] = useState("");
  const [roomName, setRoomName] = useState("general");
  const [account, setAccount] = useState(noAccount);
  const [made, setMade] = useState<{ room: Room; invite: Invite }>();
  const submission = useSubmit(said);
  if (made) return <BringPeopleIn room={made.room} invite={made.invite} onDone={() => onDone(made.room.id)} />;
  // Each step may be tried again: what is done already stays done.
  const send = async () => {
    if (session.standing.type !== "in") await session.register({ ...account, setup_code: code });
    await session.call("PATCH", "/api/workspace", { name: name.trim() });
    const room = await session.call<Room>("POST", "/api/chat/rooms", { name: roomName.trim() });
    setMade({ room, invite: await session.call<Invite>("POST", "/api/admin/invites", { room_id: room.id }) });
  };
  return (
    <Door
      step={1}
      title="Light the fire"
      lead="You are the first one here, so this account will be the administrator. It takes half a minute."
      said={["One file, one machine, yours.", "Nothing leaves this server unless you ask it to."]}
    >
      <DoorForm onSubmit={() => submission.run(send)}>
        <Field label="Name of your workspace" required maxLength={100} autoFocus value={name} onChange={(e) => setName(e.target.value)} />
        <div className={styles.two}>
          <UsernameField account={account} onChange={setAccount} submission={submission} />
          <Field label="First room" required maxLength={100} value={roomName} onChange={(e) => setRoomName(e.target.value)} />
        </div>
        <EmailAndPassword account={account} onChange={setAccount} submission={submission} />
        <Button kind="pri" size="big" type="submit" disabled={submission.busy}>
          Create the workspace
        </Button>
      </DoorForm>
    </Door>
  );
}

function BringPeopleIn({ room, invite, onDone }: { room: Room; invite: Invite; onDone: () => void }) {
  const place = `#${room.name}`;
  return (
    <Door
      step={2}
      title="Bring people in"
      lead={`Whoever opens this link makes an account and lands in ${place}. It works for 7 days.`}
      said={["Ready.", `${location.host} reaches this server.`]}
    >
      <InviteLink url={invite.url} />
      <Button kind="pri" size="big" onClick={onDone}>
        Go to {place}
      </Button>
    </Door>
  );
}
