import type { WireError } from "./wire.ts";

/** The server answered, and the answer is no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** What is wrong, for a program, such as room_not_found; empty when something else than the server answered. */
    readonly code: string,
    message: string,
    /** The field and the rule. */
    readonly details: string,
    /** Seconds to wait, when there is a limit. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }
}

/** The server did not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The server did not answer. Check the connection and try again.");
  }
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Request {
  readonly body?: unknown;
  readonly token?: string;
  /** Milliseconds until the server counts as unreachable; 30,000 unless told. */
  readonly patience?: number;
}

/**
 * Asks the server once and returns the answer of a 2xx.
 * Throws Refused for any other answer, Unreachable when there is none.
 */
export async function ask<T>(method: Method, path: string, { body, token, patience = 30_000 }: Request = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(patience),
    });
    text = await response.text();
  } catch {
    throw new Unreachable();
  }
  if (!response.ok) throw refusal(response, text);
  return JSON.parse(text) as T;
}

function refusal(response: Response, text: string): Refused {
  let told: Partial<WireError> = {};
  try {
    told = JSON.parse(text) as Partial<WireError>;
  } catch {
    // A proxy answered instead of Hearth; the status says what there is to say.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new Refused(
    response.status,
    told.code ?? "",
    told.error ?? `The server answered with ${response.status}.`,
    told.details ?? "",
    wait > 0 ? wait : undefined,
  );
}

/** What went wrong, in a sentence for a person. */
export function inWords(error: unknown): string {
  if (error instanceof Refused && error.status === 429) {
    return error.retryAfter ? `That was too quick. Try again in ${error.retryAfter} s.` : "That was too quick. Try again in a moment.";
  }
  if (error instanceof Refused && error.status === 400 && error.details) return sentence(error.details);
  if (error instanceof Refused || error instanceof Unreachable) return sentence(error.message);
  return "Something in this page went wrong. Reload it and try again.";
}

function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.?]$/.test(text) ? text : `${text}.`;
}
