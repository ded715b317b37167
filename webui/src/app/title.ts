import { useEffect } from "react";
import { needsAnywhere, unreadIn } from "../state/select.ts";
import { useWorkspace } from "../state/store.ts";
import plainIcon from "../ui/favicon.svg?url";
import unreadIcon from "../ui/favicon-unread.svg?url";

/** Shows what needs the reader in the title, and by a dot on the icon that anything is unread. */
export function useTitle(room: string | undefined): void {
  const needs = useWorkspace(needsAnywhere);
  const unread = useWorkspace((w) => Object.values(w.rooms).some((r) => r.joined && unreadIn(w, r.id).unread > 0));
  const place = useWorkspace((w) => w.info?.name ?? "Hearth");
  useEffect(() => {
    const name = room ? `${room}, ${place}` : place;
    document.title = needs > 0 ? `(${needs}) ${name}` : name;
  }, [needs, room, place]);
  useEffect(() => {
    document.querySelector<HTMLLinkElement>("link[rel=icon]")!.href = unread ? unreadIcon : plainIcon;
  }, [unread]);
}
