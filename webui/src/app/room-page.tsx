import { Hash, Lock, PanelRight, Users } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { Link } from "wouter";
import type { WireMessage } from "../api/wire.ts";
import { Composer } from "../features/composer/composer.tsx";
import { RoomDetails } from "../features/room/details.tsx";
import { OfflineBanner } from "../features/room/offline-banner.tsx";
import { Timeline } from "../features/timeline/timeline.tsx";
import { lastOwn, lastSpeakers, titleOf, visibleSpan } from "../state/select.ts";
import { useClient, useWorkspace } from "../state/store.ts";
import type { Pending, RoomState } from "../state/workspace.ts";
import { AvatarStack } from "../ui/avatar.tsx";
import { buttonClass, Button, IconButton } from "../ui/button.tsx";
import { Main, PageHead } from "../ui/page.tsx";
import { Empty, Skeleton } from "../ui/parts.tsx";

interface RoomPageProps {
  readonly id: string;
  /** A message to show, from a link to it. */
  readonly message: string | undefined;
  readonly onLeft: () => void;
}

/** A room: its head, its conversation, the place to write, and what stands beside it. */
export function RoomPage({ id, message, onLeft }: RoomPageProps) {
  const client = useClient();
  const room = useWorkspace((w) => w.rooms[id]);
  const loaded = useWorkspace((w) => w.loaded);
  const [details, setDetails] = useState(false);
  const present = room !== undefined;
  useEffect(() => {
    if (!present) return;
    client.open(id);
    return () => client.leaveView(id);
  }, [client, id, present]);
  // A direct room, or one just opened to the reader, may be known to the server alone.
  useEffect(() => {
    if (loaded && !present) client.once(`room ${id}`, () => client.loadRoom(id));
  }, [client, id, loaded, present]);
  if (!room) return <Main>{loaded ? <NoRoom /> : <Skeleton />}</Main>;
  return (
    <>
      <Main>
        <RoomHead room={room} details={details} onDetails={() => setDetails(!details)} />
        <OfflineBanner />
        <Conversation key={id} room={room} message={message} />
      </Main>
      {details && <RoomDetails room={room} onClose={() => setDetails(false)} onLeft={onLeft} />}
    </>
  );
}

function NoRoom() {
  return (
    <Empty
      title="There is no such room here"
      actions={
        <Link href="/browse" className={buttonClass("pri")}>
          Browse rooms
        </Link>
      }
    >
      This room does not exist, or it is private and you are not in it.
    </Empty>
  );
}

function RoomHead({ room, details, onDetails }: { room: RoomState; details: boolean; onDetails: () => void }) {
  const span = useWorkspace((w) => visibleSpan(w, room.id));
  const people = useMemo(() => lastSpeakers(span, 3), [span]);
  const count = room.member_count;
  const words = `${count} ${count === 1 ? "person" : "people"}, ${room.online_members} here now`;
  const icon = room.kind === "dm" ? <Users className="i" /> : room.is_private ? <Lock className="i" /> : <Hash className="i" />;
  return (
    <PageHead icon={icon} title={room.name} topic={room.description} sub={words}>
      <span className="wide">
        <Button kind="gho" title={words} onClick={onDetails}>
          <AvatarStack people={people} />
          {count}
          <span className="vh">{words.slice(String(count).length)}</span>
        </Button>
      </span>
      <IconButton label="Room details" aria-expanded={details} onClick={onDetails}>
        <PanelRight className="i" />
      </IconButton>
    </PageHead>
  );
}

function Conversation({ room, message }: { room: RoomState; message: string | undefined }) {
  const client = useClient();
  const field = useRef<HTMLTextAreaElement>(null);
  const [answering, setAnswering] = useState<WireMessage>();
  const [editing, setEditing] = useState<string>();
  useTypingGoesTo(field);
  const takeBack = (pending: Pending) => {
    client.discard(pending.client_id);
    client.keeper.keepDraft(room.id, pending.content);
    window.dispatchEvent(new CustomEvent("hearth-draft", { detail: room.id }));
    field.current?.focus();
  };
  const edit = (id: string | undefined) => {
    setEditing(id);
    if (id === undefined) field.current?.focus();
  };
  return (
    <>
      {room.head_seq === 0 ? (
        <NewRoomEmpty room={room} />
      ) : (
        <Timeline
          room={room.id}
          start={message}
          editing={editing}
          onEdit={edit}
          onReply={(m) => {
            setAnswering(m);
            field.current?.focus();
          }}
          onTakeBack={takeBack}
        />
      )}
      <Composer
        room={room.id}
        answering={answering}
        onAnswered={() => setAnswering(undefined)}
        onEditLast={() => setEditing(lastOwn(client.store.get(), room.id)?.id)}
        field={field}
      />
    </>
  );
}

function NewRoomEmpty({ room }: { room: RoomState }) {
  const place = useWorkspace((w) => w.info?.name ?? "the workspace");
  if (room.kind === "dm") return <Empty title={`You and ${room.name}`}>Nothing is said yet. Only the people in this conversation will see it.</Empty>;
  return (
    <Empty title={`${titleOf(room)} is new and quiet`}>
      Say what it is for, or bring somebody in. {room.is_private ? "Only the people in it can see it." : `Everyone in ${place} can find it.`}
    </Empty>
  );
}

/** A letter typed anywhere in a room goes to the composer. */
function useTypingGoesTo(field: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const here = e.target as HTMLElement;
      const writes = here.closest("input, textarea, select, [contenteditable], dialog");
      const onControl = e.key === " " && here.closest("button, a");
      if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || writes || onControl) return;
      field.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [field]);
}
