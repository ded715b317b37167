import type { ServerFrame } from "../api/wire.ts";
import type { Pending } from "./workspace.ts";

/** The part of localStorage that is used; tests give a map. */
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  readonly length: number;
  key(index: number): string | null;
}

/**
 * Keeps messages that are not stored yet, and drafts, across a reload. Each message has a
 * key of its own, so that two tabs do not overwrite each other; sending twice is safe,
 * because the server remembers client ids.
 */
export class Keeper {
  constructor(
    readonly shelf: Shelf,
    readonly user: number,
  ) {}

  #outboxKey(clientId: string): string {
    return `hearth.outbox.${this.user}.${clientId}`;
  }

  #draftKey(room: string): string {
    return `hearth.draft.${this.user}.${room}`;
  }

  /** The messages left over from the last time, oldest first, waiting to be sent again. */
  outbox(): Pending[] {
    const prefix = this.#outboxKey("");
    const keys = Array.from({ length: this.shelf.length }, (_, i) => this.shelf.key(i) ?? "");
    return keys
      .filter((key) => key.startsWith(prefix))
      .flatMap((key) => {
        const pending = parse<Pending>(this.shelf.getItem(key));
        return pending ? [{ ...pending, state: pending.state === "failed" ? ("failed" as const) : ("queued" as const) }] : [];
      })
      .sort((a, b) => a.created_at.localeCompare(b.created_at) || a.client_id.localeCompare(b.client_id));
  }

  /** Makes what is kept equal to the outbox. */
  keepOutbox(before: readonly Pending[], after: readonly Pending[]): void {
    if (before === after) return;
    for (const p of after) if (!before.includes(p)) this.#set(this.#outboxKey(p.client_id), JSON.stringify(p));
    for (const p of before) {
      if (!after.some((q) => q.client_id === p.client_id)) this.shelf.removeItem(this.#outboxKey(p.client_id));
    }
  }

  draft(room: string): string {
    return this.shelf.getItem(this.#draftKey(room)) ?? "";
  }

  keepDraft(room: string, text: string): void {
    if (text === "") this.shelf.removeItem(this.#draftKey(room));
    else this.#set(this.#draftKey(room), text);
  }

  /** A full shelf costs the memory across a reload, not the message itself. */
  #set(key: string, value: string): void {
    try {
      this.shelf.setItem(key, value);
    } catch {
      // Full, or forbidden in a private window.
    }
  }
}

function parse<T>(text: string | null): T | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

/** Ids for messages: 128 bits by chance, from a source that plain HTTP has too. */
export function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Why a message was refused, in words. */
export function refusalInWords(frame: Extract<ServerFrame, { type: "error" }>): string {
  const words: { [code: string]: string } = {
    room_not_found: "This room does not exist, or it is private and you are not in it.",
    not_a_member: "Join the room first.",
    importing: "Conversations are being imported into this room. Try again when that is done.",
  };
  const told = words[frame.code] ?? frame.details ?? frame.error;
  const text = told || frame.error;
  return `Not sent: ${text.charAt(0).toLowerCase()}${text.slice(1)}${/[.]$/.test(text) ? "" : "."}`;
}
