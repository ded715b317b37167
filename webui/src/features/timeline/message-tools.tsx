import { Copy, Link, Pencil, Reply, Trash2 } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { inWords } from "../../api/http.ts";
import type { WireMessage } from "../../api/wire.ts";
import { deleteMessage, react } from "../../state/deeds.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { IconButton } from "../../ui/button.tsx";
import { copyText } from "../../ui/copy.ts";
import { Confirm, Dialog } from "../../ui/dialog.tsx";
import { toast } from "../../ui/parts.tsx";
import styles from "./message.module.css";

interface ToolsProps {
  readonly message: WireMessage;
  /** Whether the pointer or the focus is on the message. */
  readonly near: boolean;
  readonly onEdit: () => void;
  readonly onReply: () => void;
}

interface Tool {
  readonly label: string;
  readonly icon: ReactNode;
  readonly run: () => void;
}

const quick = ["👍", "🎉"];
/** Milliseconds that a finger rests on a message to open its tools. */
const longPress = 450;

/** What can be done with a message: a row of buttons beside it, and on phones a sheet behind a long press. */
export function MessageTools({ message, near, onEdit, onReply }: ToolsProps) {
  const client = useClient();
  const joined = useWorkspace((w) => w.rooms[message.room_id]?.joined ?? false);
  const mine = useWorkspace((w) => w.me.user_id === message.user_id);
  const owner = useWorkspace((w) => w.rooms[message.room_id]?.creator_id === w.me.user_id);
  const [asking, setAsking] = useState(false);
  const [sheet, setSheet] = useState<HTMLElement | null>(null);
  const give = (reaction: string) => void react(client, message, reaction).catch((e: unknown) => toast(inWords(e)));
  const copy = (text: string, done: string) => () => void copyText(text).then((ok) => toast(ok ? done : "Copying did not work here."));
  const tools: Tool[] = [
    ...(joined ? [{ label: "Reply", icon: <Reply className="i" />, run: onReply }] : []),
    ...(joined && mine ? [{ label: "Edit", icon: <Pencil className="i" />, run: onEdit }] : []),
    { label: "Copy text", icon: <Copy className="i" />, run: copy(message.content, "Text copied.") },
    { label: "Copy link", icon: <Link className="i" />, run: copy(linkTo(message), "Link copied.") },
    ...(joined && (mine || owner) ? [{ label: "Delete", icon: <Trash2 className="i" />, run: () => setAsking(true) }] : []),
  ];
  const remove = () => {
    setAsking(false);
    void deleteMessage(client, message).catch((e: unknown) => toast(inWords(e)));
  };
  return (
    <>
      <LongPress onPress={setSheet} />
      {near && (
        <div className={styles.tools} data-tools>
          {joined && quick.map((e) => <IconButton key={e} label={`React with ${e}`} onClick={() => give(e)} children={e} />)}
          {tools.map((t) => (
            <IconButton key={t.label} label={t.label} onClick={t.run}>
              {t.icon}
            </IconButton>
          ))}
        </div>
      )}
      {sheet && (
        <Dialog title="Message" onClose={() => setSheet(null)}>
          <div className={styles.sheet} onClick={() => setSheet(null)}>
            {joined && (
              <div className={styles.quick}>
                {quick.map((e) => (
                  <button type="button" key={e} aria-label={`React with ${e}`} onClick={() => give(e)}>
                    {e}
                  </button>
                ))}
              </div>
            )}
            {tools.map((t) => (
              <button type="button" key={t.label} onClick={t.run}>
                {t.icon}
                {t.label}
              </button>
            ))}
          </div>
        </Dialog>
      )}
      {asking && (
        <Confirm title="Delete this message?" stay="Keep it" deed="Delete message" onStay={() => setAsking(false)} onDeed={remove}>
          It disappears for everybody. That it was here stays visible.
        </Confirm>
      )}
    </>
  );
}

function linkTo(message: WireMessage): string {
  return `${location.origin}/rooms/${encodeURIComponent(message.room_id)}?message=${message.id}`;
}

/** Listens for a long press on the message it stands in; it shows nothing itself. */
function LongPress({ onPress }: { onPress: (row: HTMLElement) => void }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const row = anchor?.closest("article");
    if (!row) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const down = (e: PointerEvent) => {
      if (e.pointerType === "touch") timer = setTimeout(() => onPress(row), longPress);
    };
    const stop = () => clearTimeout(timer);
    const ends = ["pointerup", "pointermove", "pointercancel"] as const;
    row.addEventListener("pointerdown", down);
    for (const end of ends) row.addEventListener(end, stop);
    return () => {
      stop();
      row.removeEventListener("pointerdown", down);
      for (const end of ends) row.removeEventListener(end, stop);
    };
  }, [anchor, onPress]);
  return <span hidden ref={setAnchor} />;
}
