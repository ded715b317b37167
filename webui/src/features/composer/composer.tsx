import { ArrowUp, RefreshCw, X } from "lucide-react";
import { useEffect, useState, type KeyboardEvent, type RefObject } from "react";
import { inWords } from "../../api/http.ts";
import type { WireMessage } from "../../api/wire.ts";
import { joinRoom } from "../../state/deeds.ts";
import { nameOf, titleOf } from "../../state/select.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { toast } from "../../ui/parts.tsx";
import styles from "./composer.module.css";
import { TypingLine } from "./typing-line.tsx";

/** Code points a message may have. */
const longest = 16_384;

interface ComposerProps {
  readonly room: string;
  /** The message being answered. */
  readonly answering: WireMessage | undefined;
  readonly onAnswered: () => void;
  /** Opens the last own message for editing. */
  readonly onEditLast: () => void;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

/** Where messages are written; where writing is not allowed, the sentence that says why. */
export function Composer(props: ComposerProps) {
  const room = useWorkspace((w) => w.rooms[props.room]);
  const client = useClient();
  if (!room) return null;
  return (
    <section className={styles.foot} aria-label="Write a message">
      {room.joined ? (
        <Writing key={props.room} {...props} />
      ) : (
        <div className={styles.instead}>
          <span>You are looking at {titleOf(room)}. Join it to write here.</span>
          <Button kind="pri" onClick={() => void joinRoom(client, room.id).catch((e: unknown) => toast(inWords(e)))}>
            Join room
          </Button>
        </div>
      )}
    </section>
  );
}

function Writing({ room, answering, onAnswered, onEditLast, field }: ComposerProps) {
  const client = useClient();
  const title = useWorkspace((w) => (w.rooms[room] ? titleOf(w.rooms[room]) : ""));
  const [text, setText] = useDraft(room);
  const length = [...text].length;
  const empty = text.trim() === "";
  const send = () => {
    if (empty || length > longest) return;
    client.send(room, text, answering?.id);
    setText("");
    onAnswered();
    field.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    // On phones Enter makes a line, because there is no Shift Enter; while a word is being composed it belongs to that.
    const enterSends = e.key === "Enter" && !e.shiftKey && !e.nativeEvent.isComposing && !matchMedia("(pointer: coarse)").matches;
    if (enterSends) {
      e.preventDefault();
      send();
    }
    if (e.key === "ArrowUp" && text === "") {
      e.preventDefault();
      onEditLast();
    }
    if (e.key === "Escape" && answering) onAnswered();
  };
  return (
    <>
      {answering && <Answering message={answering} onCancel={onAnswered} />}
      <div className={styles.cmp}>
        <textarea
          ref={field}
          data-composer
          rows={1}
          aria-label={`Message ${title}`}
          placeholder={`Message ${title}`}
          value={text}
          autoFocus={!matchMedia("(pointer: coarse)").matches}
          onChange={(e) => {
            setText(e.target.value);
            client.typing(room, e.target.value !== "");
          }}
          onBlur={() => client.typing(room, false)}
          onKeyDown={onKeyDown}
        />
        <button type="button" className={styles.send} aria-label="Send" title="Send" disabled={empty || length > longest} onClick={send}>
          <ArrowUp className="i" />
        </button>
      </div>
      <div className={styles.under}>
        <TypingLine room={room} />
        {length > longest ? (
          <span className={styles.tooLong}>{`${length - longest} characters too long`}</span>
        ) : (
          <Connection room={room} />
        )}
      </div>
    </>
  );
}

function Answering({ message, onCancel }: { message: WireMessage; onCancel: () => void }) {
  const name = useWorkspace((w) => nameOf(w, message.user_id)) ?? message.username;
  return (
    <div className={styles.answer}>
      <span>
        Answering <b>{name}</b>: {message.content}
      </span>
      <IconButton label="Do not answer" onClick={onCancel}>
        <X className="i s" />
      </IconButton>
    </div>
  );
}

/** The text of a room that is not sent yet; it outlives a reload. */
function useDraft(room: string): [string, (text: string) => void] {
  const { keeper } = useClient();
  const [text, setText] = useState(() => keeper.draft(room));
  // Another part of the page may put words here, such as a message taken back.
  useEffect(() => {
    const onDraft = (e: Event) => (e as CustomEvent<string>).detail === room && setText(keeper.draft(room));
    window.addEventListener("hearth-draft", onDraft);
    return () => window.removeEventListener("hearth-draft", onDraft);
  }, [keeper, room]);
  const keep = (next: string) => {
    setText(next);
    keeper.keepDraft(room, next);
  };
  return [text, keep];
}

/** Whether the connection is being made again, and how much waits for it. */
function Connection({ room }: { room: string }) {
  const live = useWorkspace((w) => w.link.status === "live");
  const waiting = useWorkspace((w) => w.outbox.filter((p) => p.room_id === room && p.state === "queued").length);
  if (live) return null;
  return (
    <span role="status">
      <RefreshCw className="i s" />
      Reconnecting.{waiting > 0 && ` ${waiting} ${waiting === 1 ? "message waits" : "messages wait"} here.`}
    </span>
  );
}
