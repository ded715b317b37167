import { useEffect, useRef, useState } from "react";
import { endOf, type Span } from "../../state/timeline.ts";
import { plainText } from "./text.tsx";

/** At most one announcement in this time, in milliseconds. */
const every = 1_000;

/** What a screen reader says about new messages: "author, text", and a count when they come quickly. */
export function useAnnouncement(span: Span | undefined, me: number): string {
  const [text, setText] = useState("");
  const known = useRef<number | undefined>(undefined);
  const waiting = useRef<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const end = span && endOf(span);
  useEffect(() => {
    const before = known.current;
    known.current = end;
    // A jump is another place, not news.
    if (!span || end === undefined || before === undefined || end <= before || end - before > 20) return;
    const news = span.messages.slice(before + 1 - span.from).filter((m) => m.user_id !== me && m.message_type !== "system");
    waiting.current.push(...news.map((m) => `${m.username}, ${plainText(m.content).slice(0, 300)}`));
    if (waiting.current.length === 0) return;
    timer.current ??= setTimeout(() => {
      const said = waiting.current;
      setText(said.length === 1 ? (said[0] ?? "") : `${said.length} new messages`);
      waiting.current = [];
      timer.current = undefined;
    }, every);
  }, [span, end, me]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return text;
}
