import { useEffect } from "react";
import { roomLists, unreadIn } from "../state/select.ts";
import { useClient } from "../state/store.ts";

const landmarks = ["nav", "[data-timeline]", "aside", "[data-composer]"];

/** The keys that work everywhere: Ctrl K to jump, Alt with arrows between rooms, F6 round the landmarks. */
export function useKeys(room: string | undefined, open: (room: string) => void, jump: () => void): void {
  const { store } = useClient();
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") jump();
      else if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) step(e.key === "ArrowDown" ? 1 : -1, e.shiftKey);
      else if (e.key === "F6") goRound(e.shiftKey ? -1 : 1);
      else return;
      e.preventDefault();
    };
    const step = (by: 1 | -1, unreadOnly: boolean) => {
      const w = store.get();
      const { rooms, direct } = roomLists(w);
      const all = [...rooms, ...direct].filter((r) => r.id === room || !unreadOnly || unreadIn(w, r.id).unread > 0);
      if (all.length === 0) return;
      const at = all.findIndex((r) => r.id === room);
      open(all[(at + by + all.length) % all.length]!.id);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [store, room, open, jump]);
}

function goRound(by: 1 | -1): void {
  const stops = landmarks.flatMap((l) => document.querySelector<HTMLElement>(l) ?? []);
  const at = stops.findIndex((s) => s.contains(document.activeElement));
  const next = stops[(at + by + stops.length) % stops.length];
  const inside = next?.matches("nav, aside") ? next.querySelector<HTMLElement>("[aria-current=page], a, button") : next;
  inside?.focus();
}
