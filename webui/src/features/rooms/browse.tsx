import { Hash, Lock, Plus } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { inWords } from "../../api/http.ts";
import { joinRoom } from "../../state/deeds.ts";
import { roomLists } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import type { RoomState } from "../../state/workspace.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { List, ListItem, Page, Tile } from "../../ui/page.tsx";
import { Empty, toast } from "../../ui/parts.tsx";

/** Every room there is for the reader: those to join, and those they are in. */
export function Browse({ onOpen, onNewRoom }: { onOpen: (room: string) => void; onNewRoom: () => void }) {
  const client = useClient();
  const { store } = client;
  // The socket tells of rooms the reader is in; others are asked for when they are looked for.
  useEffect(() => void client.loadRooms().catch(() => undefined), [client]);
  const rooms = useWorkspace((w) => w.rooms);
  const [query, setQuery] = useState("");
  const { open, joined } = useMemo(() => {
    const lists = roomLists({ ...store.get(), rooms });
    const fits = (r: RoomState) => `${r.name} ${r.description}`.toLowerCase().includes(query.trim().toLowerCase());
    return { open: lists.open.filter(fits), joined: lists.rooms.filter(fits) };
  }, [store, rooms, query]);
  return (
    <Page title="Browse rooms">
      <Field label="Find a room" type="search" value={query} onChange={(e) => setQuery(e.target.value)} />
      {open.length > 0 && <h2>Rooms you can join</h2>}
      <RoomList rooms={open} onOpen={onOpen} />
      {joined.length > 0 && <h2>Rooms you are in</h2>}
      <RoomList rooms={joined} onOpen={onOpen} />
      {open.length + joined.length === 0 && (
        <Empty
          title={query ? "No room has that name" : "There is no room yet"}
          actions={
            <Button kind="pri" onClick={onNewRoom}>
              <Plus className="i s" />
              New room
            </Button>
          }
        >
          {query ? "Look for something else, or make the room." : "Make the first one; everybody can find it here."}
        </Empty>
      )}
    </Page>
  );
}

function RoomList({ rooms, onOpen }: { rooms: readonly RoomState[]; onOpen: (room: string) => void }) {
  const client = useClient();
  const join = (id: string) =>
    void joinRoom(client, id)
      .then(() => onOpen(id))
      .catch((e: unknown) => toast(inWords(e)));
  return (
    <List>
      {rooms.map((room) => (
        <ListItem key={room.id} picture={<Tile>{room.is_private ? <Lock className="i" /> : <Hash className="i" />}</Tile>} title={room.name} about={about(room)}>
          <Button size="sm" onClick={() => onOpen(room.id)} aria-label={`Open ${room.name}`}>
            Open
          </Button>
          {!room.joined && (
            <Button size="sm" onClick={() => join(room.id)} aria-label={`Join ${room.name}`}>
              Join
            </Button>
          )}
        </ListItem>
      ))}
    </List>
  );
}

/** "24 people. What it is for." */
export function about(room: RoomState): string {
  const people = room.member_count === 1 ? "1 person" : `${room.member_count} people`;
  return room.description ? `${people}. ${room.description}` : people;
}
