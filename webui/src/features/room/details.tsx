import { LogOut, UserPlus } from "lucide-react";
import { useEffect, useState } from "react";
import { inWords } from "../../api/http.ts";
import type { RoomMember } from "../../api/wire.ts";
import { addMember, findPeople, leaveRoom, makeInvite, roomMembers } from "../../state/deeds.ts";
import { titleOf } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import type { RoomState } from "../../state/workspace.ts";
import { Avatar, presenceWord } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm, Dialog } from "../../ui/dialog.tsx";
import { Field, Problem } from "../../ui/field.tsx";
import { InviteLink } from "../../ui/invite-link.tsx";
import { List, ListItem, Panel, PanelSection } from "../../ui/page.tsx";
import { toast } from "../../ui/parts.tsx";

/** What a room is, who is in it, and the way out. */
export function RoomDetails({ room, onClose, onLeft }: { room: RoomState; onClose: () => void; onLeft: () => void }) {
  const [leaving, setLeaving] = useState(false);
  const client = useClient();
  const leave = () =>
    void leaveRoom(client, room.id)
      .then(onLeft)
      .catch((e: unknown) => toast(inWords(e)))
      .finally(() => setLeaving(false));
  return (
    <Panel title="Room details" onClose={onClose}>
      <PanelSection title={titleOf(room)}>
        <p>{room.description || (room.is_private ? "A private room: only the people in it can see it." : "A room that everyone can find and join.")}</p>
      </PanelSection>
      {room.joined && <Members room={room} />}
      {room.joined && (
        <PanelSection title="Leave">
          <Button onClick={() => (room.is_private || room.kind === "dm" ? setLeaving(true) : leave())}>
            <LogOut className="i s" />
            {room.kind === "dm" ? "Hide this conversation" : "Leave room"}
          </Button>
        </PanelSection>
      )}
      {leaving && (
        <Confirm
          title={room.kind === "dm" ? "Hide this conversation?" : `Leave ${titleOf(room)}?`}
          stay="Stay"
          deed={room.kind === "dm" ? "Hide it" : "Leave room"}
          onStay={() => setLeaving(false)}
          onDeed={leave}
        >
          {room.kind === "dm"
            ? "It comes back with the next message, or when you write to these people again."
            : "It is private: to come back, someone inside has to invite you. Your messages stay."}
        </Confirm>
      )}
    </Panel>
  );
}

function Members({ room }: { room: RoomState }) {
  const { members, more, problem, loadMore, reload } = useMembers(room);
  const [adding, setAdding] = useState(false);
  return (
    <PanelSection title={room.member_count === 1 ? "1 person" : `${room.member_count} people`}>
      {problem && <Problem>{problem}</Problem>}
      {room.kind === "room" && (
        <Button size="sm" onClick={() => setAdding(true)}>
          <UserPlus className="i s" />
          Bring people in
        </Button>
      )}
      <List>
        {members.map((m) => (
          <Member key={m.user.user_id} member={m} />
        ))}
      </List>
      {more && (
        <Button size="sm" onClick={loadMore}>
          Show more people
        </Button>
      )}
      {adding && (
        <BringIn
          room={room}
          onClose={() => {
            setAdding(false);
            reload();
          }}
        />
      )}
    </PanelSection>
  );
}

function Member({ member: { user, role } }: { member: RoomMember }) {
  const presence = useWorkspace((w) => w.presence[user.user_id] ?? user.presence);
  const name = useWorkspace((w) => w.users[user.user_id]?.username ?? user.username);
  const about = [role !== "member" && role, presenceWord(presence)].filter(Boolean).join(", ");
  return <ListItem picture={<Avatar id={user.user_id} name={name} presence={presence} size={32} />} title={name} about={about} />;
}

const pageSize = 100;

function useMembers(room: RoomState) {
  const client = useClient();
  const [members, setMembers] = useState<RoomMember[]>([]);
  const [more, setMore] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [turn, setTurn] = useState(0);
  const load = (after?: number) => roomMembers(client, room.id, after);
  useEffect(() => {
    let present = true;
    roomMembers(client, room.id)
      .then((found) => {
        if (!present) return;
        setMembers(found);
        setMore(found.length === pageSize);
        setProblem(undefined);
      })
      .catch((e: unknown) => present && setProblem(inWords(e)));
    return () => {
      present = false;
    };
  }, [client, room.id, room.member_count, turn]);
  const loadMore = () =>
    void load(members.at(-1)?.user.user_id)
      .then((found) => {
        setMembers([...members, ...found]);
        setMore(found.length === pageSize);
      })
      .catch((e: unknown) => setProblem(inWords(e)));
  return { members, more, problem, loadMore, reload: () => setTurn(turn + 1) };
}

/** Adds people who have an account, and for administrators makes a link for those who have none. */
function BringIn({ room, onClose }: { room: RoomState; onClose: () => void }) {
  const client = useClient();
  const admin = useWorkspace((w) => w.me.role === "admin");
  const [name, setName] = useState("");
  const [said, setSaid] = useState<string>();
  const [url, setUrl] = useState<string>();
  const add = async () => {
    const wanted = name.trim().replace(/^@/, "").toLowerCase();
    const user = (await findPeople(client, wanted)).find((u) => u.username.toLowerCase() === wanted);
    if (!user) return setSaid(`Nobody here is called ${name.trim()}.`);
    await addMember(client, room.id, user.user_id);
    toast(`${user.username} is in ${titleOf(room)} now.`);
    onClose();
  };
  const tell = (e: unknown) => setSaid(inWords(e));
  return (
    <Dialog title={`Bring people into ${titleOf(room)}`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          add().catch(tell);
        }}
      >
        <Field label="User name" required value={name} onChange={(e) => setName(e.target.value)} error={said} />
        <Button kind="pri" type="submit">
          Add to the room
        </Button>
        {admin && !url && (
          <Button onClick={() => void makeInvite(client, room.id).then((i) => setUrl(i.url), tell)}>Make a link for somebody without an account</Button>
        )}
        {url && <InviteLink url={url} />}
      </form>
    </Dialog>
  );
}
