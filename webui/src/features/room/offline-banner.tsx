import { CloudOff } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useWorkspace } from "../../state/store.ts";
import { Banner, toast } from "../../ui/parts.tsx";

/** A shorter break is not worth a banner; milliseconds. */
const patience = 3_000;

/** Says that there is no connection, after three seconds, and that it is back. */
export function OfflineBanner() {
  const live = useWorkspace((w) => w.link.status === "live");
  const waiting = useWorkspace((w) => w.outbox.filter((p) => p.state === "queued").length);
  const [late, setLate] = useState(false);
  const waited = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (live) return;
    const timer = setTimeout(() => setLate(true), patience);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [live]);
  useEffect(() => {
    if (late && !live) waited.current = waiting;
  }, [late, live, waiting]);
  useEffect(() => {
    const sent = waited.current;
    if (!live || sent === undefined) return;
    waited.current = undefined;
    toast(sent === 0 ? "Connected again." : `Connected again. ${sent} ${sent === 1 ? "message" : "messages"} sent.`);
  }, [live]);
  if (live || !late) return null;
  const words = waiting === 0 ? "" : `; ${waiting} ${waiting === 1 ? "message is" : "messages are"} waiting`;
  return <Banner icon={<CloudOff className="i" />}>No connection. You can read and write{words}.</Banner>;
}
